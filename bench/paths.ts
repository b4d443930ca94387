import { fileURLToPath } from 'node:url';

// Compiled to bench/dist/bench/paths.js.
/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The bench folder, with its sources. */
export const BENCH = fileURLToPath(new URL('../../', import.meta.url));
/** The folder of the bench's compiled programs. */
export const PROGRAMS = fileURLToPath(new URL('./', import.meta.url));
