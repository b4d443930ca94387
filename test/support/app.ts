import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { print } from 'graphql';
import { type AppOptions, createApp } from '../../src/compose/createApp.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import type { UpstreamExtension } from '../../src/graphql/upstreamExtension.ts';
import { createEmulator, type Emulator, type EmulatorSwitches } from '../../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../../src/keyapi/emulator/scores.ts';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import type { ResponseEvent } from '../../src/server/events.ts';
import { until } from './until.ts';

export const TOKEN = 'sk-test-0123456789';

export interface GraphqlResult<TData> {
  readonly data?: TData | null;
  readonly errors?: {
    readonly message: string;
    readonly path?: (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
  readonly extensions: { readonly upstream: UpstreamExtension };
}

export interface TestApp {
  readonly server: FastifyInstance;
  /** Sends an operation over HTTP (injected); returns the response's JSON. */
  query<TData = Record<string, never>, TVariables = Record<string, unknown>>(
    document: string | TypedDocumentNode<TData, TVariables>,
    variables?: TVariables,
  ): Promise<GraphqlResult<TData>>;
  close(): Promise<void>;
}

/** See `describeEachExecution`. */
const EXECUTIONS = ['by Apollo Server', 'on the fast path'] as const;
let execution: (typeof EXECUTIONS)[number] = 'by Apollo Server';

/** Declares the tests once for each way to execute an operation: results, errors and costs must be the same. */
export function describeEachExecution(tests: () => void): void {
  describe.each(EXECUTIONS)('executed %s,', (way) => {
    beforeAll(() => {
      execution = way;
    });
    afterAll(() => {
      execution = 'by Apollo Server';
    });
    tests();
  });
}

export interface TestAppOptions extends AppOptions {
  /** How long a request may take to arrive. The setting takes whole seconds, which tests should not wait for. */
  readonly requestMs?: number;
  /** How long a connection may stay idle, likewise. */
  readonly keepAliveMs?: number;
}

/** By default no test reaches a deadline or has to wait for the rate limit of KeyAPI. */
const PATIENT = { KEYAPI_TIMEOUT_MS: '600000', OPERATION_TIMEOUT_MS: '600000', KEYAPI_QPS: '10000' };

/** Starts the whole program, with these environment variables, against the upstream at `baseUrl`. */
export async function startApp(
  baseUrl: URL,
  variables: Record<string, string> = {},
  { requestMs, keepAliveMs, ...options }: TestAppOptions = {},
): Promise<TestApp> {
  const config = loadConfig({
    KEYAPI_BASE_URL: baseUrl.origin,
    KEYAPI_TOKEN: TOKEN,
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    ...PATIENT,
    ...variables,
  });
  const limits = {
    ...config.limits,
    ...(requestMs !== undefined && { requestMs }),
    ...(keepAliveMs !== undefined && { keepAliveMs }),
  };
  const isPrepared = execution === 'on the fast path';
  const server = await createApp(
    { ...config, limits },
    {
      // Other tests may overload the machine, which must not fail this one.
      checkOverload: () => undefined,
      ...options,
      ...(isPrepared && { prepareFrom: 1 }),
    },
  );
  const post = (payload: object) => server.inject({ method: 'POST', url: '/graphql', payload });
  if (isPrepared) await post({ query: '{ __typename }' });
  return {
    server,
    async query(document, variables) {
      const query = typeof document === 'string' ? document : print(document);
      // Apollo Server validates the document, as the fast path requires, and executes nothing.
      if (isPrepared) await post({ query, operationName: 'NONE_OF_THIS_NAME' });
      return (await post({ query, variables })).json();
    },
    close: () => server.close(),
  };
}

export interface EmulatedApp extends TestApp {
  readonly emulator: Emulator;
  /** The parameters of every request that upstream received: what will be paid for. */
  readonly bill: Record<string, string>[];
  /** The numbers of the pages in `bill`, sorted. */
  readonly pagesBought: () => number[];
  /** Resolves when upstream has received `count` requests. */
  readonly seeRequests: (count: number) => Promise<void>;
  /** Delays upstream's responses until the returned function is called. */
  readonly holdUpstream: () => () => void;
  /** Requests that all responses have cost so far, as log and metrics have it: copies in shared caches do not say it. */
  readonly reported: () => number;
  /** Of all responses so far: `made` (executed), `kept` (cached), `shared` (coalesced) or `refused`. */
  readonly origins: () => ResponseEvent['origin'][];
  /** Fails unless the results of `query` claimed exactly the requests that upstream received. */
  close(): Promise<void>;
  /** Requests in `bill` that were claimed by other responses than those of `query`. */
  claimedElsewhere: number;
}

/** Starts the whole program with the emulator as its upstream, over real HTTP. By default its charts do not move. */
export async function startEmulatedApp(
  switches: Partial<EmulatorSwitches> = {},
  variables: Record<string, string> = {},
  options: TestAppOptions = {},
): Promise<EmulatedApp> {
  const bill: Record<string, string>[] = [];
  let delay: Promise<void> | undefined;
  const emulator = createEmulator({
    token: TOKEN,
    date: UNMOVED_DAY,
    ...switches,
    onRequest: (request) => {
      bill.push(request);
      return delay;
    },
    ...(options.clock && { now: options.clock.now }),
  });
  let claimed = 0;
  const responses: ResponseEvent[] = [];
  const onEvent = (event: AppEvent): void => {
    // A background refresh belongs to no operation.
    if (event.type === 'upstreamCall' && event.background) claimed++;
    if (event.type === 'response') responses.push(event);
    options.onEvent?.(event);
  };
  const app = await startApp(await emulator.listen(), variables, { ...options, onEvent });
  const emulated: EmulatedApp = {
    ...app,
    emulator,
    bill,
    claimedElsewhere: 0,
    reported: () => responses.reduce((sum, { cost }) => sum + cost.requests, 0),
    origins: () => responses.map(({ origin }) => origin),
    pagesBought: () =>
      bill.flatMap(({ page }) => (page === undefined ? [] : [Number(page)])).sort((a, b) => a - b),
    seeRequests: (count) => until(() => bill.length >= count),
    holdUpstream: () => {
      let release = (): void => undefined;
      const current = new Promise<void>((resolve) => {
        release = resolve;
      });
      delay = current;
      return () => {
        if (delay === current) delay = undefined;
        release();
      };
    },
    query: async (document, values) => {
      const result = await app.query(document, values);
      claimed += result.extensions.upstream.requests;
      return result;
    },
    close: async () => {
      await app.close();
      await emulator.close();
      expect(claimed + emulated.claimedElsewhere).toBe(bill.length);
    },
  };
  return emulated;
}
