import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pageEndpoint } from '../src/domain/page.ts';
import { statsEndpoint } from '../src/domain/videoStats.ts';
import { createEmulator } from '../src/keyapi/emulator/emulator.ts';

/** Faults, each of which happens after the whole request was read. */
const FAULTS = ['5xx', '429', 'timeout', 'reset', 'truncated'] as const;
type Fault = (typeof FAULTS)[number];

/** A period of time: its faults, and the share of requests that they affect. */
interface Phase {
  readonly faults: readonly Fault[];
  readonly share: number;
}

const CALM: Phase = { faults: [], share: 0 };
/** Every second phase is calm. The last one is an outage, which opens the circuit breaker. */
const PHASES: readonly Phase[] = [
  ...FAULTS.map((fault) => ({ faults: [fault], share: fault === '429' ? 0.05 : 0.3 })),
  { faults: FAULTS, share: 1 },
].flatMap((phase) => [CALM, phase]);
const PHASE_MS = 10_000;
/** Interval at which every chart shifts by one rank. */
const ROTATE_MS = 3000;

/** The emulator behind a proxy that injects faults in phases. */
export interface FaultyUpstream {
  readonly origin: string;
  /** Credits that the requests cost that arrived, including those that failed. */
  readonly credits: () => number;
  /** Injected faults by kind. */
  readonly faults: ReadonlyMap<string, number>;
  /** Stops injecting faults. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts it on a free port. */
export async function startFaultyUpstream(): Promise<FaultyUpstream> {
  const emulator = createEmulator();
  const { origin: emulatorOrigin } = await emulator.listen();
  const faults = new Map<string, number>();
  const startedAt = performance.now();
  let isHealed = false;
  let arrived = 0;
  let credits = 0;

  function pickFault(): Fault | undefined {
    const phase = PHASES[Math.floor((performance.now() - startedAt) / PHASE_MS) % PHASES.length] ?? CALM;
    if (isHealed || Math.random() >= phase.share) return undefined;
    return phase.faults[Math.floor(Math.random() * phase.faults.length)];
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    arrived++;
    credits += request.url?.includes('/analytics') ? statsEndpoint.credits : pageEndpoint.credits;
    const fault = pickFault();
    if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
    if (fault === '5xx') return send(response, [500, 502, 503][arrived % 3] ?? 500, 'bad gateway');
    if (fault === '429') {
      response.setHeader('retry-after', '1');
      return send(response, 429, '{"code":429,"data":null,"message":"qps limit exceeded"}');
    }
    if (fault === 'timeout') return;
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    const forwarded = await fetch(`${emulatorOrigin}${request.url}`);
    const body = await forwarded.text();
    if (fault === 'truncated') return truncate(response, body);
    send(response, forwarded.status, body);
  }

  const server = createServer((request, response) => void handle(request, response));
  // If idle connections were closed, a request could be lost without arriving, and the counts would differ.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const rotating = setInterval(() => emulator.switches.rotation++, ROTATE_MS);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credits: () => credits,
    faults,
    heal: () => {
      isHealed = true;
    },
    close: async () => {
      clearInterval(rotating);
      server.close();
      server.closeAllConnections();
      await emulator.close();
    },
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

/** Sends half of the body: as a complete response, or with the connection closed in the middle of it. */
function truncate(response: ServerResponse, body: string): void {
  const half = body.slice(0, body.length / 2);
  if (Math.random() < 0.5) {
    send(response, 200, half);
  } else {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.write(half, () => response.destroy());
  }
}
