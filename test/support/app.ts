import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { print } from 'graphql';
import { type AppOptions, createApp } from '../../src/compose/createApp.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import type { UpstreamExtension } from '../../src/graphql/upstreamExtension.ts';
import { createEmulator, type Emulator, type EmulatorSwitches } from '../../src/keyapi/emulator/emulator.ts';
import type { AppEvent } from '../../src/observe/appEvent.ts';
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
  /** Sends an operation over HTTP (injected); gives the answer's JSON. */
  query<TData = Record<string, never>, TVariables = Record<string, unknown>>(
    document: string | TypedDocumentNode<TData, TVariables>,
    variables?: TVariables,
  ): Promise<GraphqlResult<TData>>;
  close(): Promise<void>;
}

/** See `describeEachExecution`. */
const EXECUTIONS = ['by Apollo Server', 'on the fast path'] as const;
let execution: (typeof EXECUTIONS)[number] = 'by Apollo Server';

/** A block of tests for each way in which an operation can be executed: results, errors and costs are the same. */
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
  /** How long a request may take to come, where a whole second would be waited for in vain. */
  readonly requestMs?: number;
}

/** No test waits for a deadline unless it sets one, nor for its turn. */
const PATIENT = { KEYAPI_TIMEOUT_MS: '600000', OPERATION_TIMEOUT_MS: '600000', KEYAPI_QPS: '10000' };

/** The whole program against the upstream at `baseUrl`, as it would run with these variables. */
export async function startApp(
  baseUrl: URL,
  variables: Record<string, string> = {},
  { requestMs, ...options }: TestAppOptions = {},
): Promise<TestApp> {
  const config = loadConfig({
    KEYAPI_BASE_URL: baseUrl.origin,
    KEYAPI_TOKEN: TOKEN,
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    ...PATIENT,
    ...variables,
  });
  const limits = requestMs === undefined ? config.limits : { ...config.limits, requestMs };
  const isPrepared = execution === 'on the fast path';
  const server = await createApp(
    { ...config, limits },
    {
      // A machine that is busy with other tests is no matter of these.
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
      // Apollo Server finds the document valid, and has nothing to execute.
      if (isPrepared) await post({ query, operationName: 'NONE_OF_THIS_NAME' });
      return (await post({ query, variables })).json();
    },
    close: () => server.close(),
  };
}

export interface EmulatedApp extends TestApp {
  readonly emulator: Emulator;
  /** Every request that upstream got, as it was asked: what will be paid for. */
  readonly bill: Record<string, string>[];
  /** The pages in `bill`, in order. */
  readonly pagesBought: () => number[];
  /** Resolves when upstream has got so many requests. */
  readonly seeRequests: (count: number) => Promise<void>;
  /** Holds back upstream's responses, until the function that it returns is called. */
  readonly holdUpstream: () => () => void;
  /** Fails when the answers of `query` did not claim exactly the requests that upstream got. */
  close(): Promise<void>;
  /** Requests in `bill` that other answers than those of `query` claimed. */
  claimedElsewhere: number;
}

/** The whole program with the emulator behind it, over real HTTP. */
export async function startEmulatedApp(
  switches: Partial<EmulatorSwitches> = {},
  variables: Record<string, string> = {},
  options: TestAppOptions = {},
): Promise<EmulatedApp> {
  const bill: Record<string, string>[] = [];
  let held: Promise<void> | undefined;
  const emulator = createEmulator({
    token: TOKEN,
    ...switches,
    onRequest: (request) => {
      bill.push(request);
      return held;
    },
    ...(options.clock && { now: options.clock.now }),
  });
  let claimed = 0;
  const onEvent = (event: AppEvent): void => {
    // A refresh in the background belongs to no answer.
    if (event.type === 'upstreamCall' && event.background) claimed++;
    options.onEvent?.(event);
  };
  const app = await startApp(await emulator.listen(), variables, { ...options, onEvent });
  const emulated: EmulatedApp = {
    ...app,
    emulator,
    bill,
    claimedElsewhere: 0,
    pagesBought: () => bill.map(({ page }) => Number(page)).sort((a, b) => a - b),
    seeRequests: (count) => until(() => bill.length >= count),
    holdUpstream: () => {
      let release = (): void => undefined;
      const holding = new Promise<void>((resolve) => {
        release = resolve;
      });
      held = holding;
      return () => {
        if (held === holding) held = undefined;
        release();
      };
    },
    query: async (document, values) => {
      const answer = await app.query(document, values);
      claimed += answer.extensions.upstream.requests;
      return answer;
    },
    close: async () => {
      await app.close();
      await emulator.close();
      expect(claimed + emulated.claimedElsewhere).toBe(bill.length);
    },
  };
  return emulated;
}
