import { ERROR_CODES, type ErrorCode } from '../../src/domain/errors.ts';
import { BATCH, type Fault, pausesAccount, pausesNumbers, toNumbersFault } from './faults.ts';

/** Renders docs/faults.md: a table for pages of charts and one for numbers on videos, of how each fault is handled. */
export function renderFaults(faults: readonly Fault[]): string {
  const ofPages = faults.filter(({ only }) => only !== 'numbers');
  const ofNumbers = faults.flatMap((fault) => toNumbersFault(fault) ?? []);
  return `# How upstream's faults are handled

<!-- Written by \`npm run docs\` from test/faults/faults.ts. The tests run each row against a real HTTP server. -->

## Pages of charts

The table shows the result of an operation that reads a window of a chart while upstream (KeyAPI) has the fault in the
first column:

- **Nothing cached**: the result, and the requests and credits that it costs.
- **Stale window cached** (past its time to live): the stale window, at no cost to the operation. One refresh in the
  background, for all operations together, makes the same requests.
- **Next call after**: how long the server waits before it calls upstream again. If upstream works again, this call
  recovers the chart.

Temporary errors are cached for a second (\`ERROR_TTL_SECONDS\`), and twice as long after each further failure of the
page: up to a minute, or up to 10 minutes if the response cannot be read. An empty page is cached for a minute, and
twice as long after each further one, up to \`CACHE_TTL_SECONDS\`. After 5 failures in a row of KeyAPI as a whole (5xx,
timeouts, no connection), the circuit breaker rejects all calls to the endpoint for 30 seconds.

${toTable([
  ['Fault', 'Nothing cached', 'Requests', 'Credits', 'Stale window cached', 'Next call after'],
  ...ofPages.map(toPageRow),
])}

## Numbers on videos

The table shows the result of an operation that selects \`stats\` in a window of ${BATCH.length} videos while the endpoint of the
numbers has the fault in the first column, and the endpoint of the charts works. The chart itself is complete in every case:

- **Nothing cached**: the numbers. If this is an error code, \`stats\` is null for all ${BATCH.length} videos, and \`errors\` has one entry,
  with the path of the first video (\`trendingVideos.edges.0.node.stats\`) and \`extensions.videos: ${BATCH.length}\`. If it is null,
  \`stats\` is null without an error. Requests and credits are only those for numbers.
- **Stale numbers cached** (past \`STATS_TTL_SECONDS\`): the stale numbers (\`stats.stale\` is true), without an error, at no cost
  to the operation. One refresh in the background, for all operations together, makes the same requests.
- **Next call after**: how long the server waits before it requests numbers again. If upstream works again, this call
  recovers them.
- **Pages meanwhile**: whether pages are requested during this time. Refusals of the account stop these calls, too.

After a 403, a 404 or a response that cannot be read, the server requests no numbers for a minute, and twice as long after
each further such response in a row, up to an hour: all requests to this endpoint have the same form, so the next batch
would get the same response. 5xx, timeouts and failed connections are handled as for pages, but by video. A batch that is
refused with 400 is halved until the videos that KeyAPI does not accept are alone: their numbers are null for 10 minutes,
and are then requested one by one. When KeyAPI suddenly knows none of the videos of a batch, it may send no numbers any more:
the cached numbers are still served, and are requested again after a minute, and twice as long after each further such
response, up to \`STATS_TTL_SECONDS\`.

${toTable([
  [
    'Fault',
    'Nothing cached',
    'Requests',
    'Credits',
    'Stale numbers cached',
    'Next call after',
    'Pages meanwhile',
  ],
  ...ofNumbers.map(toNumbersRow),
])}
`;
}

type Row = readonly (string | number)[];

/** A table in Markdown, of a header and rows. */
function toTable([header = [], ...rows]: readonly Row[]): string {
  const toLine = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [header, header.map(() => '---'), ...rows].map(toLine).join('\n');
}

function toPageRow(fault: Fault): Row {
  const { name, cold, requests, pauseSeconds } = fault;
  const result = typeof cold === 'string' ? toError(cold) : `${cold.length} videos`;
  return [name, result, requests, requests * 2, staleWindow(fault), toPause(pauseSeconds)];
}

function staleWindow({ cold, isRefusedOverRows = false }: Fault): string {
  if (isRefusedOverRows) return 'stale window';
  if (typeof cold !== 'string') return 'stale window, then the fresh result';
  return cold === 'BAD_USER_INPUT' ? `stale window, then \`${cold}\`` : 'stale window';
}

function toNumbersRow(fault: Fault): Row {
  const { name, cold, requests, pauseSeconds, stalePauseSeconds } = fault;
  const beside = stalePauseSeconds ? `; with stale numbers cached ${toPause(stalePauseSeconds)}` : '';
  const pause = toPause(pauseSeconds) + (pausesNumbers(fault) ? ', up to an hour' : '') + beside;
  const pages = pausesAccount(fault) ? 'stopped too' : 'as usual';
  return [name, coldNumbers(cold), requests, requests, staleNumbers(fault), pause, pages];
}

function coldNumbers(cold: Fault['cold']): string {
  if (typeof cold === 'string') return toError(cold);
  const missing = BATCH.length - cold.length;
  if (cold.length === 0) return `null for all ${missing}`;
  return missing === 0 ? `numbers of all ${cold.length}` : `numbers of ${cold.length}, null for ${missing}`;
}

function staleNumbers({ cold, stalePauseSeconds }: Fault): string {
  if (typeof cold === 'string' || stalePauseSeconds) return 'stale numbers';
  return `stale numbers, then ${cold.length === 0 ? 'null' : 'the fresh result'}`;
}

function toError(code: ErrorCode): string {
  return `\`${code}\`${ERROR_CODES[code].retryable ? '' : ', not retryable'}`;
}

function toPause(seconds: number): string {
  if (seconds === 0) return 'the time to live';
  return seconds >= 600 ? `${seconds / 60} min` : `${seconds} s`;
}
