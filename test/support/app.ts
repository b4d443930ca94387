import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { expect } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { print } from 'graphql';
import { type AppOptions, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { UpstreamExtension } from '../../src/graphql/upstreamExtension.ts';
import { createEmulator, type Emulator, type EmulatorSwitches } from '../../src/keyapi/emulator/emulator.ts';
import type { AppEvent } from '../../src/logEvent.ts';

export const TOKEN = 'sk-test-0123456789';

export interface Answer<TData> {
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
  ): Promise<Answer<TData>>;
  close(): Promise<void>;
}

/** The whole program against the upstream at `baseUrl`, as it would run with these variables. */
export async function startApp(
  baseUrl: URL,
  variables: Record<string, string> = {},
  options: AppOptions = {},
): Promise<TestApp> {
  const config = loadConfig({
    KEYAPI_BASE_URL: baseUrl.origin,
    KEYAPI_TOKEN: TOKEN,
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    ...variables,
  });
  const server = await createApp(config, {
    // A machine that is busy with other tests is no matter of these.
    checkOverload: () => undefined,
    ...options,
    ...(isPrepared() && { prepareFrom: 1 }),
  });
  const post = (payload: object) => server.inject({ method: 'POST', url: '/graphql', payload });
  if (isPrepared()) await post({ query: '{ __typename }' });
  return {
    server,
    async query(document, variables) {
      const query = typeof document === 'string' ? document : print(document);
      // Apollo Server finds the document valid, and has nothing to execute.
      if (isPrepared()) await post({ query, operationName: 'NONE_OF_THIS_NAME' });
      return (await post({ query, variables })).json();
    },
    close: () => server.close(),
  };
}

/** Whether every document is to be a known one, and prepared for, before it is executed. */
function isPrepared(): boolean {
  return process.env.TEST_PREPARED === 'true';
}

export interface EmulatedApp extends TestApp {
  readonly emulator: Emulator;
  /** Every request that upstream got, as it was asked: what will be paid for. */
  readonly bill: Record<string, string>[];
  /** The pages in `bill`, in order. */
  readonly pagesBought: () => number[];
  /** Fails when the answers of `query` did not claim exactly the requests that upstream got. */
  close(): Promise<void>;
  /** Requests in `bill` that other answers than those of `query` claimed. */
  claimedElsewhere: number;
}

/** The whole program with the emulator behind it, over real HTTP. */
export async function startEmulatedApp(
  switches: Partial<EmulatorSwitches> = {},
  variables: Record<string, string> = {},
  options: AppOptions = {},
): Promise<EmulatedApp> {
  const bill: Record<string, string>[] = [];
  const emulator = createEmulator({
    token: TOKEN,
    ...switches,
    onRequest: (request) => void bill.push(request),
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
