import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEmulator } from '../src/keyapi/emulator/emulator.ts';

/** What may become of a request, each time after it was read whole. */
const FAULTS = ['5xx', '429', 'timeout', 'reset', 'truncated'] as const;
type Fault = (typeof FAULTS)[number];

/** What goes wrong for a while, and with what share of the requests. */
interface Phase {
  readonly faults: readonly Fault[];
  readonly share: number;
}

const CALM: Phase = { faults: [], share: 0 };
/** Every second phase is calm. The last one is an outage, which opens the circuit. */
const PHASES: readonly Phase[] = [
  ...FAULTS.map((fault) => ({ faults: [fault], share: fault === '429' ? 0.05 : 0.3 })),
  { faults: FAULTS, share: 1 },
].flatMap((phase) => [CALM, phase]);
const PHASE_MS = 10_000;
/** How often every chart moves by a rank. */
const ROTATE_MS = 3000;

/** The emulator behind a way that fails by phases. */
export interface FaultyUpstream {
  readonly origin: string;
  /** Requests that arrived, whatever became of them. */
  readonly arrived: () => number;
  /** Those that a fault struck, by fault. */
  readonly struck: ReadonlyMap<string, number>;
  /** Nothing fails from now on. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts it on a free port. */
export async function startFaultyUpstream(): Promise<FaultyUpstream> {
  const emulator = createEmulator();
  const { origin: behind } = await emulator.listen();
  const struck = new Map<string, number>();
  const startedAt = performance.now();
  let isHealed = false;
  let arrived = 0;

  function pickFault(): Fault | undefined {
    const phase = PHASES[Math.floor((performance.now() - startedAt) / PHASE_MS) % PHASES.length] ?? CALM;
    if (isHealed || Math.random() >= phase.share) return undefined;
    return phase.faults[Math.floor(Math.random() * phase.faults.length)];
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    arrived++;
    const fault = pickFault();
    if (fault !== undefined) struck.set(fault, (struck.get(fault) ?? 0) + 1);
    if (fault === '5xx') return send(response, [500, 502, 503][arrived % 3] ?? 500, 'bad gateway');
    if (fault === '429') {
      response.setHeader('retry-after', '1');
      return send(response, 429, '{"code":429,"data":null,"message":"qps limit exceeded"}');
    }
    if (fault === 'timeout') return;
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    const answer = await fetch(`${behind}${request.url}`);
    const body = await answer.text();
    if (fault === 'truncated') return truncate(response, body);
    send(response, answer.status, body);
  }

  const server = createServer((request, response) => void handle(request, response));
  // A connection that ends on its own may take a request with it that never arrived: the counts would differ.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const rotating = setInterval(() => emulator.switches.rotation++, ROTATE_MS);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: () => arrived,
    struck,
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

/** Half of the body: as a whole answer, or with the connection cut in the middle of it. */
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
