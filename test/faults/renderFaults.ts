import { ERROR_CODES } from '../../src/domain/errors.ts';
import type { Fault } from './faults.ts';

/** Renders docs/faults.md, a table of how each fault is handled. */
export function renderFaults(faults: readonly Fault[]): string {
  const rows = faults.map((fault) => {
    const { name, requests, pauseSeconds } = fault;
    return `| ${[name, coldResult(fault), requests, requests * 2, staleResult(fault), toPause(pauseSeconds)].join(' | ')} |`;
  });
  return `# How upstream's faults are handled

<!-- Written by \`npm run docs\` from test/faults/faults.ts. The tests run each row against a real HTTP server. -->

What an operation that reads a window of a chart gets while upstream (KeyAPI) has the fault in the first column:

- **Nothing cached**: the result, and the requests and credits that it costs.
- **Stale window cached** (past its time to live): the stale window, at no cost to the operation. One refresh in the
  background, for all operations together, makes the same requests.
- **Next call after**: how long upstream is not called. The first call after that recovers the chart if upstream works
  again.

Temporary errors are cached for a second (\`ERROR_TTL_SECONDS\`), and twice as long after each further failure of the
page: up to a minute, or up to 10 if KeyAPI responded with something that cannot be read. An empty page is cached for a
minute, and twice as long after each further one, up to \`CACHE_TTL_SECONDS\`. After 5 failures in a row of KeyAPI as a
whole (5xx, timeouts, no connection), the circuit breaker rejects all calls to the endpoint for 30 seconds.

| Fault | Nothing cached | Requests | Credits | Stale window cached | Next call after |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function coldResult({ cold }: Fault): string {
  if (typeof cold !== 'string') return `${cold.length} videos`;
  return `\`${cold}\`${ERROR_CODES[cold].retryable ? '' : ', not retryable'}`;
}

function staleResult({ cold, isRefusedOverRows = false }: Fault): string {
  if (isRefusedOverRows) return 'stale window';
  if (typeof cold !== 'string') return 'stale window, then the fresh result';
  return cold === 'BAD_USER_INPUT' ? `stale window, then \`${cold}\`` : 'stale window';
}

function toPause(seconds: number): string {
  if (seconds === 0) return 'the time to live';
  return seconds >= 600 ? `${seconds / 60} min` : `${seconds} s`;
}
