import inOneProcess from './jest.config.js';

/** `npm run test:system`: tests of real processes, of Redis, of the examples, and in a browser. */
export default {
  ...inOneProcess,
  testMatch: ['<rootDir>/test/system/**/*.test.ts'],
  testPathIgnorePatterns: [],
  globalSetup: '<rootDir>/test/system/support/prepare.js',
  // Test files empty this Redis, so they must not run in parallel.
  ...(process.env.TEST_REDIS_URL && { maxWorkers: 1 }),
};
