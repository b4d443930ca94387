import { ERROR_CODES } from '../../src/domain/errors.ts';
import type { Fault } from './faults.ts';

/** docs/faults.md: what becomes of each fault. */
export function renderFaults(faults: readonly Fault[]): string {
  const rows = faults.map((fault) => {
    const { name, requests, holdSeconds } = fault;
    return `| ${[name, coldAnswer(fault), requests, requests * 2, staleAnswer(fault), toPause(holdSeconds)].join(' | ')} |`;
  });
  return `# What becomes of upstream's faults

<!-- Written by \`npm run docs\`, from test/faults/faults.ts: the tests run each row against a real HTTP server. -->

An operation asks for a window of a chart while upstream does what the first column says. With nothing held it gets the
answer in the second, for so many requests and credits. When it holds the window, past its time to live, it gets the
answer in the fifth, at no cost of its own: the refresh behind it makes the same requests, once for everyone. Then
upstream is left alone for as long as the last column says; the first call after that finds it well again, and
the answer is fresh. Errors that may pass hold for a second (\`ERROR_TTL_SECONDS\`), and twice as long with each
further failure of the page, up to a minute. After 5 failures in a row all calls are held back for 30 seconds.

| upstream | with nothing held | requests | credits | with a stale window held | asked again after |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function coldAnswer({ cold }: Fault): string {
  if (typeof cold !== 'string') return `${cold.length} videos`;
  return `\`${cold}\`${ERROR_CODES[cold].retryable ? '' : ', not retryable'}`;
}

function staleAnswer({ cold }: Fault): string {
  if (typeof cold !== 'string') return 'stale, then the same, fresh';
  return cold === 'BAD_USER_INPUT' ? `stale, then \`${cold}\`` : 'stale';
}

function toPause(seconds: number): string {
  if (seconds === 0) return 'the time to live';
  return seconds >= 600 ? `${seconds / 60} min` : `${seconds} s`;
}
