import fc from 'fast-check';

/** The same values in every run, so that a test fails for a change alone; `FUZZ_SEED` tries others. */
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1) });

export { fc };
