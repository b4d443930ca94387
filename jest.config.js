/** `npm test`: every test that runs in one process. The others are in `jest.system.config.js`. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': '@swc/jest',
    '\\.(lua|graphql)$': '<rootDir>/test/support/textTransform.js',
    '/node_modules/@actions/.+\\.js$': '<rootDir>/test/support/jsonImportTransform.js',
  },
  transformIgnorePatterns: ['/node_modules/(?!@actions/)'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/system/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/failOnConsole.ts'],
  maxWorkers: '100%',
  // A process with a large heap takes longer to exit than Jest waits, and Jest would warn about that.
  workerIdleMemoryLimit: '300MB',
  // No test waits for time to pass. This ends a test that waits for an event that never happens.
  testTimeout: 120_000,
};
