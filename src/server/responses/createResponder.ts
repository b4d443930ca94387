import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { OperationContext } from '../../graphql/context.ts';
import { PREFLIGHT_HEADERS } from '../../graphql/execution/createApolloServer.ts';
import type { AnswerEvent, OnServerEvent } from '../events.ts';
import type { CheckOverload, Overload } from '../protection/overload.ts';
import { refuseForNow } from '../errors/refusal.ts';
import type { Answer } from './httpResponse.ts';
import { type MadeAnswer, type MakeAnswerOptions, makeAnswer } from './makeResponse.ts';
import type { ServeRequest } from './executeRequest.ts';

/** A request to `/graphql`; its body has not been looked at yet. */
export type GraphqlRequest = FastifyRequest<{ Body: Buffer | undefined }>;

/** See `createAnswers`. */
export interface AnswersOptions extends MakeAnswerOptions {
  readonly serve: ServeRequest;
  readonly createContext: () => OperationContext;
  /** Parses a request's body; throws when it is no JSON. */
  readonly parse: (request: GraphqlRequest) => unknown;
  /** Room for answers that are kept; 0 keeps none. */
  readonly maxBytes: number;
  readonly checkOverload: CheckOverload;
  readonly onEvent: OnServerEvent;
  /** Told how to read what they take. */
  readonly watchBytes?: ((bytes: () => number) => void) | undefined;
}

/** An answer to be sent. */
export interface FoundAnswer {
  readonly answer: Answer;
  readonly origin: AnswerEvent['origin'];
  /** How long it has been kept, in seconds; absent when it has not been. */
  readonly age?: number;
}

/** Gives the answer to a request: at once when it is kept. */
export type FindAnswer = (request: GraphqlRequest) => FoundAnswer | Promise<FoundAnswer>;

/** An answer that is kept for others. */
interface KeptAnswer {
  readonly answer: Answer;
  readonly readPages: OperationContext['charts']['readPages'];
  /** On the monotonic clock, as `keptUntil`. */
  readonly madeAt: number;
  readonly keptUntil: number;
  /** Newer pages may change it. */
  readonly isFleeting: boolean;
}

/** How long an answer that newer pages may change is given again when none come. */
const KEEP_FLEETING_MS = 1000;

/** What an answer takes beside its texts, roughly. */
const OVERHEAD_BYTES = 2500;

/** What is too much now is seldom so for longer. */
const OVERLOAD_SECONDS = 2;

/** The settings of what is too much. */
const LIMITS = {
  eventLoopDelay: 'MAX_EVENT_LOOP_DELAY_MS',
  heap: 'MAX_HEAP_PERCENT',
} as const satisfies Record<Overload, string>;

/**
 * Answers requests to `/graphql`, where it can without looking into them.
 *
 * - An answer without errors is kept, under all that it may depend on, for as long as its pages are fresh. One of
 *   stale pages, which says so, or of videos that were looked up, is kept for a second while nothing newer comes.
 * - Requests that come while the same one is being carried out share its answer. Errors are not shared, or a late
 *   one might fail of another's deadline.
 * - While there is too much to do, what is neither kept nor under way is refused.
 */
export function createAnswers(options: AnswersOptions): FindAnswer {
  const { serve, createContext, parse, maxBytes, monotonic, checkOverload, onEvent, watchBytes } = options;
  if (maxBytes === 0) {
    return async (request) => {
      const { answer } = await make(request, createContext());
      return { answer, origin: 'made' };
    };
  }

  const kept = new LRUCache<string, KeptAnswer>({
    maxSize: maxBytes,
    // Its compressed forms, of which there are two, take less than half of it each.
    sizeCalculation: ({ answer }, key) => OVERHEAD_BYTES + 2 * key.length + 2 * answer.body.length,
  });
  watchBytes?.(() => kept.calculatedSize);
  const underWay = new Map<string, Promise<MadeAnswer>>();

  function findKept(key: string): FoundAnswer | undefined {
    const found = kept.get(key);
    if (!found) return undefined;
    const { answer, readPages, madeAt, keptUntil, isFleeting } = found;
    const now = monotonic();
    if (now >= keptUntil || (isFleeting && !readPages.isLatest)) {
      kept.delete(key);
      return undefined;
    }
    readPages.reuse();
    return { answer, origin: 'kept', age: Math.floor((now - madeAt) / 1000) };
  }

  async function share(key: string, request: GraphqlRequest): Promise<FoundAnswer> {
    // Its time begins here, whether or not it is spent on waiting for another's answer.
    const context = createContext();
    const another = underWay.get(key);
    if (another !== undefined) {
      const made = await another.catch(() => undefined);
      if (made?.forOthers) return { answer: made.forOthers.shared(), origin: 'shared' };
    }
    const making = make(request, context);
    underWay.set(key, making);
    try {
      const made = await making;
      keep(key, made, context);
      return { answer: made.answer, origin: 'made' };
    } finally {
      if (underWay.get(key) === making) underWay.delete(key);
    }
  }

  function keep(key: string, { forOthers }: MadeAnswer, { charts: { readPages } }: OperationContext): void {
    const { freshUntil, staleUntil, areLasting } = readPages;
    if (!forOthers || !areLasting) return;
    const madeAt = monotonic();
    const isStale = madeAt >= freshUntil;
    const isFleeting = isStale || readPages.hasLookups;
    const until = isStale ? staleUntil : freshUntil;
    const keptUntil = isFleeting ? Math.min(until, madeAt + KEEP_FLEETING_MS) : until;
    // Covers that expired before leave it no time.
    if (keptUntil <= madeAt) return;
    kept.set(key, { answer: forOthers.kept(), readPages, madeAt, keptUntil, isFleeting });
  }

  async function make(request: GraphqlRequest, context: OperationContext): Promise<MadeAnswer> {
    refuseOverload();
    const served = await serve(request, parse(request), context);
    // It takes its time: of answers to POST, which caches on the way seldom keep, only where it is made once.
    const hasEtag = maxBytes > 0 || request.method !== 'POST';
    return makeAnswer(served, context, options, hasEtag);
  }

  function refuseOverload(): void {
    const overload = checkOverload();
    if (!overload) return;
    onEvent({ type: 'overloaded', overload });
    const message = `This server has too much to do (${LIMITS[overload]})`;
    throw refuseForNow(503, message, 'OVERLOADED', OVERLOAD_SECONDS);
  }

  return (request) => {
    const key = toKey(request);
    return findKept(key) ?? share(key, request);
  };
}

/** All of a request that its answer may depend on. */
function toKey({ method, url, headers, body }: GraphqlRequest): string {
  const isPreflighted = PREFLIGHT_HEADERS.some((name) => headers[name]);
  const kind = method === 'POST' ? 'POST' : 'GET';
  const [accept, contentType] = [headers.accept, headers['content-type']].map(toPart);
  return `${kind} ${url}\n${accept}\n${contentType}\n${isPreflighted}\n${body?.toString('latin1') ?? ''}`;
}

/** A header that is not there is none that is empty. */
function toPart(header: string | undefined): string {
  return header === undefined ? '' : `=${header}`;
}
