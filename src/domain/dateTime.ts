/** The latest time that the DateTime scalar can serialise: the end of year 9999, in Unix milliseconds. */
export const MAX_TIME = Date.UTC(10_000, 0, 1) - 1;
