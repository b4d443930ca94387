/** `npm test`: every test that runs in one process. `jest.system.config.js` has the others. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '@swc/jest' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/system/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/failOnConsole.ts'],
  maxWorkers: '100%',
  // No test waits for time to pass: this ends one that waits for something that never comes.
  testTimeout: 120_000,
};
