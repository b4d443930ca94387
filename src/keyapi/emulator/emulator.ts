import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chart } from '../../domain/chart.ts';
import { pageEndpoint } from '../../domain/page.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import { statsEndpoint } from '../../domain/videoStats.ts';
import { type AccountSwitches, type Counts, createAccount } from './account.ts';
import { type AnalyticsSwitches, createAnalytics } from './analytics.ts';
import { type ChartSwitches, createCharts } from './charts.ts';
import { renderCover } from './cover.ts';
import { rankVideos } from './ranking.ts';
import { failure, type Moment, type Reply } from './reply.ts';

/** Settings that can be changed while the emulator runs. */
export interface EmulatorSwitches extends AccountSwitches, ChartSwitches, AnalyticsSwitches {
  /** How long each response takes, in milliseconds. */
  latencyMs: number;
}

/** A server that replaces KeyAPI. */
export interface Emulator {
  readonly switches: EmulatorSwitches;
  readonly counts: Counts;
  /**
   * The ids of a chart on a UTC day, top first: what is served on that day while the switches neither fix the date nor
   * rotate the charts. No request is counted.
   */
  itemIdsOn(chart: Chart, day: number): readonly string[];
  /** Starts to listen on 127.0.0.1; port 0 takes any free one. Gives the base URL. */
  listen(port?: number): Promise<URL>;
  close(): Promise<void>;
}

/** Initial switches, and a listener for requests. */
export interface EmulatorOptions extends Partial<EmulatorSwitches> {
  /**
   * Called with the parameters of every request for a chart or for numbers, as sent. The response waits for what it
   * returns.
   */
  readonly onRequest?: (parameters: Record<string, string>) => unknown;
  /** In Unix milliseconds; by default the process's clock. */
  readonly now?: () => number;
}

/**
 * Creates a server that replaces KeyAPI: with the same paths, parameters, defaults, envelope and errors, deterministic
 * videos, and switches that make it fail. It also serves the covers, and its counts at `/stats`.
 */
export function createEmulator({ onRequest, now = Date.now, ...initial }: EmulatorOptions = {}): Emulator {
  const switches: EmulatorSwitches = {
    token: undefined,
    credits: undefined,
    qps: undefined,
    latencyMs: 0,
    date: undefined,
    rotation: 0,
    analyticsStatus: undefined,
    unknownVideos: 0,
    refusedIds: [],
    ...initial,
  };
  const account = createAccount(switches, now);
  let origin = '';
  const findMoment = (): Moment => {
    const time = now();
    return { now: time, day: switches.date ?? toUtcDay(time) };
  };
  const respondWithPage = createCharts(switches, findMoment);
  const endpoints = new Map([
    [
      '/v1/tiktok/trending/videos',
      { ...pageEndpoint, respond: (query: URLSearchParams) => respondWithPage(query, origin) },
    ],
    [
      '/v1/tiktok/video/detail/analytics',
      { ...statsEndpoint, respond: createAnalytics(switches, findMoment) },
    ],
  ]);

  const server = createServer((request, response) => {
    void handle(request, response);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const url = new URL(URL.canParse(target, origin) ? target : '/', origin);
    const endpoint = endpoints.get(url.pathname);
    if (request.method === 'GET' && endpoint) {
      const release = onRequest?.(Object.fromEntries(url.searchParams));
      const refusal = account.charge(endpoint, request.headers.authorization);
      const reply = refusal ?? endpoint.respond(url.searchParams);
      await release;
      if (switches.latencyMs > 0) await sleep(switches.latencyMs, undefined, { ref: false });
      send(response, reply);
    } else if (request.method === 'GET' && url.pathname.startsWith('/tos-emulated/')) {
      const svg = renderCover(url, now());
      if (svg === null) send(response, failure(403, 'signature expired'));
      else response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg);
    } else if (request.method === 'GET' && url.pathname === '/stats') {
      send(response, { status: 200, body: account.counts });
    } else {
      send(response, failure(404, 'not found'));
    }
  }

  async function listen(port = 0): Promise<URL> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    // A server that listens on a TCP port has an AddressInfo.
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new URL(origin);
  }

  async function close(): Promise<void> {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  const itemIdsOn = (chart: Chart, day: number): string[] =>
    rankVideos(chart, day).map(({ itemId }) => itemId);

  return { switches, counts: account.counts, itemIdsOn, listen, close };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
