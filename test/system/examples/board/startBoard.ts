import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import * as axe from '../../../../examples/board/node_modules/axe-core/axe.js';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Route,
} from '../../../../examples/board/node_modules/playwright-core/index.js';
import type { AppOptions } from '../../../../src/compose/createApp.ts';
import type { EmulatorSwitches } from '../../../../src/keyapi/emulator/emulator.ts';
import { type EmulatedApp, startEmulatedApp } from '../../../support/app.ts';
import { findFreePort } from '../../../support/freePort.ts';
import { describeUnless, findProgram } from '../../support/describeWith.ts';
import { startProgram } from '../../support/program.ts';

export type { Browser, Page, Route };

const EXECUTABLE = ['chromium', 'chromium-browser', 'google-chrome'].map(findProgram).find(Boolean);

/** A block of tests in a browser; skipped, with the reason, if no browser is installed. */
export function describeInBrowser(name: string, tests: () => void): void {
  describeUnless(EXECUTABLE ? undefined : 'neither chromium nor google-chrome is on the PATH', name, tests);
}

/** The board as `npm run board` serves it, in front of an API that can be restarted, and a browser. */
export interface Board {
  readonly url: string;
  /** Starts the API behind the board, with an emulator whose switches can be changed. */
  startApi(
    switches?: Partial<EmulatorSwitches>,
    options?: AppOptions,
    variables?: Record<string, string>,
  ): Promise<EmulatedApp>;
  /** Opens a page with a fresh cache. */
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

/** An open page. */
export interface OpenPage {
  readonly page: Page;
  /** The URLs that the page has requested. */
  readonly requests: () => URL[];
  /** The number of operations it has sent. */
  readonly operations: () => number;
  /** Console messages and uncaught errors of the page since the last call. */
  readonly takeComplaints: () => string[];
}

/** A copy of the example in its own folder. */
interface BoardCopy {
  readonly start: string;
  remove(): Promise<void>;
}

/** Copies the example, so that tests that run in parallel do not overwrite each other's build. */
export async function copyBoard(): Promise<BoardCopy> {
  const home = await mkdtemp(path.join(tmpdir(), 'board-'));
  const folder = path.join(home, 'examples/board');
  await cp('examples/board', folder, {
    recursive: true,
    filter: (source) => !/board\/(dist|node_modules)$/.test(source),
  });
  for (const used of ['examples/board/node_modules', 'dist', 'tsconfig.json']) {
    await symlink(path.resolve(used), path.join(home, used));
  }
  return {
    start: path.join(folder, 'start.js'),
    remove: () => rm(home, { recursive: true }),
  };
}

/** Builds and serves the board, and starts the browser. */
export async function startBoard(): Promise<Board> {
  const copy = await copyBoard();
  const port = await findFreePort();
  const variables = { API_URL: `http://127.0.0.1:${port}`, BOARD_PORT: String(await findFreePort()) };
  const program = startProgram([process.execPath, copy.start], variables);
  const [, url = ''] = await program.see(/The board: (\S+)/);
  const browser = await launchBrowser();

  return {
    url,
    startApi: async (switches, options, variables) => {
      const app: EmulatedApp = await startEmulatedApp(
        switches,
        // With a clock that stands still, a lower rate would block requests.
        { KEYAPI_QPS: '1000', ...variables },
        {
          ...options,
          onEvent: (event) => {
            if (event.type === 'response') app.claimedElsewhere += event.cost.requests;
          },
        },
      );
      await app.server.listen({ host: '127.0.0.1', port });
      return app;
    },
    open: async (path, options) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 860 },
        locale: 'en-US',
        timezoneId: 'UTC',
        ...options,
      });
      // Shorter than Jest's timeout, so that the error says what was awaited.
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: URL[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => requests.push(new URL(request.url())));
      await page.goto(new URL(path, url).href);
      return {
        page,
        requests: () => requests,
        operations: () => requests.filter(({ pathname }) => pathname === '/graphql').length,
        takeComplaints: () => complaints.splice(0),
      };
    },
    close: async () => {
      await browser.close();
      program.child.kill('SIGTERM');
      await program.exit;
      await copy.remove();
    },
  };
}

/** Starts the browser. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE ?? '',
    timeout: 120_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      // No requests by the browser itself.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Fails when axe finds an accessibility violation on the page. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    // Defined by `axe.source`.
    const { axe: pageAxe } = globalThis as unknown as { axe: typeof axe };
    const results = await pageAxe.run();
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations).toEqual([]);
}
