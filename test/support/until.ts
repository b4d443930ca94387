/** Turns the event loop until it is so: for what comes by sockets and promises, and needs no time to pass. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
