import { EXAMPLES } from '../../src/server/explorer/examples.ts';

/** The documents of `schema/operations/` by file, with variables to execute them with. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = Object.fromEntries(
  EXAMPLES.map(({ name, variables }) => [`${name}.graphql`, variables]),
);
