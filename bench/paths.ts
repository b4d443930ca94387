import { fileURLToPath } from 'node:url';

// This file runs as bench/dist/bench/paths.js.
/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The bench's folder, with its sources. */
export const BENCH = fileURLToPath(new URL('../../', import.meta.url));
/** The bench's own programs, compiled. */
export const PROGRAMS = fileURLToPath(new URL('./', import.meta.url));
