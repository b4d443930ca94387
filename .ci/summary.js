// Summarises a run of `.ci/run`, from the reports in the folder given as the argument: the duration of each step, the slowest
// test files, and in the last line the number of passed and failed tests.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const SLOWEST = 10;
const [folder = ''] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let failedSteps = 0;

for (const line of readFileSync(path.join(folder, 'steps'), 'utf8').trim().split('\n')) {
  const [, name, status, seconds] = /^(.*) (\d+) (\d+)$/.exec(line);
  console.log(`${name}: ${status === '0' ? 'ok' : 'failed'}, ${seconds} s`);
  if (status !== '0') failedSteps++;
}

for (const [command, file] of [
  ['npm test', 'tests.json'],
  ['npm run test:system', 'system.json'],
]) {
  const report = readReport(path.join(folder, file));
  if (!report) continue;
  const { testResults, ...counts } = report;
  console.log(`\nThe slowest files of ${command}:`);
  const files = testResults.map(({ name, startTime, endTime, assertionResults }) => ({
    seconds: (endTime - startTime) / 1000,
    text: `${path.relative('test', name)} (${assertionResults.length} tests)`,
  }));
  for (const { seconds, text } of files.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
    console.log(`${seconds.toFixed(1).padStart(6)} s  ${text}`);
  if (counts.numPendingTests > 0)
    console.log(`${counts.numPendingTests} tests were skipped, which counts as failed`);
  passed += counts.numPassedTests;
  failed += counts.numFailedTests + counts.numPendingTests + counts.numRuntimeErrorTestSuites;
}

// A step without tests may have failed, such as the installation.
failed = Math.max(failed, failedSteps);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Undefined if Jest wrote no report; then the step has failed. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
