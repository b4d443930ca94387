import { readFile } from 'node:fs/promises';
import autocannon from 'autocannon';

// Does the same as wrk.lua on machines without wrk, and prints the same line of JSON.
const [url = '', file = '', from = '', connections = '', seconds = '', headers = ''] = process.argv.slice(2);
const bodies = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
let turn = Number(from);
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(JSON.parse(headers) as Record<string, string>),
  },
  // One request with a changing body: with a list, every connection would first build all its requests.
  requests: [{ setupRequest: (request) => ({ ...request, body: bodies[turn++ % bodies.length] ?? '' }) }],
});
const figures = {
  requests: result.requests.total,
  seconds: result.duration,
  bytes: result.throughput.total,
  failures: result.errors + result.timeouts,
  errorStatuses: result.non2xx,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
