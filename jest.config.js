export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '@swc/jest' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/failOnConsole.ts'],
  testTimeout: 20_000,
  // Files that are run side by side would empty it under each other's hands.
  ...(process.env.TEST_REDIS_URL && { maxWorkers: 1 }),
};
