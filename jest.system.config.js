import inOneProcess from './jest.config.js';

/** `npm run test:system`: tests of real processes, of Redis, of the examples, and in a browser. */
export default {
  ...inOneProcess,
  testMatch: ['<rootDir>/test/system/**/*.test.ts'],
  testPathIgnorePatterns: [],
  globalSetup: '<rootDir>/test/system/support/prepare.js',
  // Test files that run side by side would empty it under each other's hands.
  ...(process.env.TEST_REDIS_URL && { maxWorkers: 1 }),
};
