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

export type { Page, Route };

const EXECUTABLE = ['chromium', 'chromium-browser', 'google-chrome'].map(findProgram).find(Boolean);

/** A block of tests in a browser; skipped, with the reason, where there is none. */
export function describeInBrowser(name: string, tests: () => void): void {
  describeUnless(EXECUTABLE ? undefined : 'neither chromium nor google-chrome is on the PATH', name, tests);
}

/** The board as `npm run board` serves it, in front of whichever API is started, and a browser that looks at it. */
export interface Board {
  readonly url: string;
  /** Starts the API behind the board, on demo data of an emulator whose switches may be changed. */
  startApi(switches?: Partial<EmulatorSwitches>, options?: AppOptions): Promise<EmulatedApp>;
  /** Opens a page with a fresh cache. */
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

/** A page that is open. */
export interface OpenPage {
  readonly page: Page;
  /** The addresses that the page has asked for. */
  readonly requests: () => URL[];
  /** How many operations it has sent. */
  readonly operations: () => number;
  /** What the page wrote to its console, and what it threw, since this was asked before. */
  readonly takeComplaints: () => string[];
}

/** A copy of the example, which builds in a folder of its own. */
export interface BoardCopy {
  readonly start: string;
  remove(): Promise<void>;
}

/** Copies the example: of those that run side by side, each would find its pages rebuilt under its hands. */
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

/** Builds the board and serves it; starts the browser. */
export async function startBoard(): Promise<Board> {
  const copy = await copyBoard();
  const port = await findFreePort();
  const variables = { API_URL: `http://127.0.0.1:${port}`, BOARD_PORT: String(await findFreePort()) };
  const program = startProgram([process.execPath, copy.start], variables);
  const [, url = ''] = await program.see(/The board: (\S+)/);
  const browser = await launch();

  return {
    url,
    startApi: async (switches, options) => {
      const app: EmulatedApp = await startEmulatedApp(
        switches,
        // A clock that stands still must not hold back what a page asks for.
        { KEYAPI_QPS: '1000' },
        {
          ...options,
          onEvent: (event) => {
            if (event.type === 'answer') app.claimedElsewhere += event.cost.requests;
          },
        },
      );
      await app.server.listen({ host: '127.0.0.1', port });
      return app;
    },
    open: async (path, options) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
      // Sooner than Jest gives up, so that it can be told what was waited for.
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

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE ?? '',
    timeout: 120_000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      // Nothing of the browser's own is to be asked for.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Fails when axe finds anything on the page that hinders people. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    // What `axe.source` defines.
    const { axe: axeOfPage } = globalThis as unknown as { axe: typeof axe };
    const results = await axeOfPage.run();
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations).toEqual([]);
}
