import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pageEndpoint } from '../../domain/page.ts';
import { renderCover, signCoverUrl } from './cover.ts';
import { parseParameters, type RequestParameters } from './parameters.ts';
import { CHART_LENGTH, makeChart, makeRow } from './videos.ts';

/** Settings that can be changed while the emulator runs. */
export interface EmulatorSwitches {
  /** The only bearer token that is accepted; while undefined, any token or none. */
  token: string | undefined;
  /** Credits left; unlimited while undefined. Every request takes 2. */
  credits: number | undefined;
  /** Requests allowed in any second; unlimited while undefined. */
  qps: number | undefined;
  /** How long each response takes, in milliseconds. */
  latencyMs: number;
  /** How many ranks every chart has moved: the video of rank r + rotation is at rank r. */
  rotation: number;
}

/** A server that stands in for KeyAPI. */
export interface Emulator {
  readonly switches: EmulatorSwitches;
  /** Requests for charts so far, refused ones included, and what they cost if each is billed. */
  readonly counts: { readonly requests: number; readonly credits: number };
  /** Starts to listen on 127.0.0.1; port 0 takes any free one. Gives the base URL. */
  listen(port?: number): Promise<URL>;
  close(): Promise<void>;
}

/** Initial switches, and a listener for requests. */
export interface EmulatorOptions extends Partial<EmulatorSwitches> {
  /** Called with the parameters of every request for a chart, as sent. The response waits for what it returns. */
  readonly onRequest?: (parameters: Record<string, string>) => unknown;
  /** In Unix milliseconds; by default the process's clock. */
  readonly now?: () => number;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const CHART_PATH = '/v1/tiktok/trending/videos';

/**
 * Creates a server that stands in for KeyAPI: with the same path, parameters, defaults, envelope and errors,
 * deterministic videos, and switches that make it fail. It also serves the covers, and its counts at `/stats`.
 */
export function createEmulator({ onRequest, now = Date.now, ...initial }: EmulatorOptions = {}): Emulator {
  const switches: EmulatorSwitches = {
    token: undefined,
    credits: undefined,
    qps: undefined,
    latencyMs: 0,
    rotation: 0,
    ...initial,
  };
  const counts = { requests: 0, credits: 0 };
  const charts = new Map<string, string[]>();
  let recentRequests: number[] = [];
  let origin = '';

  const server = createServer((request, response) => {
    void handle(request, response);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const url = new URL(URL.canParse(target, origin) ? target : '/', origin);
    if (request.method === 'GET' && url.pathname === CHART_PATH) {
      const release = onRequest?.(Object.fromEntries(url.searchParams));
      const reply = respondWithChart(url, request.headers.authorization);
      await release;
      if (switches.latencyMs > 0) await sleep(switches.latencyMs, undefined, { ref: false });
      send(response, reply);
    } else if (request.method === 'GET' && url.pathname.startsWith('/tos-emulated/')) {
      const svg = renderCover(url, now());
      if (svg === null) send(response, failure(403, 'signature expired'));
      else response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg);
    } else if (request.method === 'GET' && url.pathname === '/stats') {
      send(response, { status: 200, body: counts });
    } else {
      send(response, failure(404, 'not found'));
    }
  }

  function respondWithChart(url: URL, authorization: string | undefined): Reply {
    counts.requests++;
    counts.credits += pageEndpoint.credits;
    if (switches.token !== undefined && authorization !== `Bearer ${switches.token}`) {
      return failure(401, 'apiKey is null');
    }
    if (switches.credits !== undefined) {
      if (switches.credits < pageEndpoint.credits) return failure(402, 'apiKey quota is not enough');
      switches.credits -= pageEndpoint.credits;
    }
    if (isOverQps()) return failure(429, 'qps limit exceeded');
    const parameters = parseParameters(url.searchParams);
    if (typeof parameters === 'string') return failure(400, `Invalid parameter: ${parameters}`);
    return { status: 200, body: chartPage(parameters) };
  }

  function isOverQps(): boolean {
    if (switches.qps === undefined) return false;
    const time = now();
    recentRequests = recentRequests.filter((earlier) => earlier > time - 1000);
    if (recentRequests.length >= switches.qps) return true;
    recentRequests.push(time);
    return false;
  }

  function chartPage({ page, limit, ...chart }: RequestParameters): unknown {
    const id = JSON.stringify(chart);
    const seeds = charts.get(id) ?? makeChart(chart);
    charts.set(id, seeds);
    const start = (page - 1) * limit;
    const ranks = Array.from(
      { length: Math.max(0, Math.min(limit, CHART_LENGTH - start)) },
      (_, i) => start + i,
    );
    const coverUrl = (itemId: string): string => signCoverUrl(origin, itemId, now());
    return {
      code: 0,
      message: 'success',
      data: {
        pagination: { has_more: start + limit < CHART_LENGTH, limit, page, total_count: CHART_LENGTH },
        videos: ranks
          // The chart is a ring: videos that leave one end enter at the other.
          .map((rank) => seeds.at((rank + switches.rotation) % CHART_LENGTH) ?? '')
          .map((seed) => makeRow(seed, chart.region, coverUrl)),
      },
      requestId: randomUUID(),
    };
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

  return { switches, counts, listen, close };
}

function failure(code: number, message: string): Reply {
  return { status: code, body: { code, data: null, message } };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
