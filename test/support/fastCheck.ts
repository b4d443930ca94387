import fc from 'fast-check';

/** Every run tries the same values, so that a test fails only after a change; `FUZZ_SEED` tries others. */
fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1) });

export { fc };
