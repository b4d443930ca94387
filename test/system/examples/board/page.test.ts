import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { range } from '../../../support/charts.ts';
import { findBlocks } from '../../../support/examples.ts';
import { findFreePort } from '../../../support/freePort.ts';
import { MAIN, postQuery, startProgram } from '../../support/program.ts';
import { copyBoard, expectAccessible } from './startBoard.ts';
import {
  board,
  describeBoard,
  goTo,
  open,
  PHONE,
  page,
  readFocus,
  savePicture,
  scrollTo,
  seeTiles,
  start,
} from './visit.ts';

/** The bytes that the server sends for a file, compressed. */
function readCompressedSize(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(new URL(name, board.url), { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => (bytes += part.length)).on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

it('starts with its own API and leaves PORT to another one, as its README shows', async () => {
  const copy = await copyBoard();
  const [port, boardPort] = [String(await findFreePort()), String(await findFreePort())];
  const folder = path.dirname(copy.start);
  // With a byte order mark, as some editors write it.
  await writeFile(path.join(folder, '.env'), `\uFEFFPORT=${port}\n`);
  const program = startProgram([process.execPath, copy.start], { BOARD_PORT: boardPort }, folder);
  const [output, url = '', apiPort = ''] = await program.see(
    /The board: (\S+)\nThe API: {3}http:\S+:(\d+)\/graphql .*\n/,
  );
  const result = await postQuery(new URL('graphql', url).href, '{ trendingVideos { totalCount } }');
  expect(result).toMatchObject({
    data: { trendingVideos: { totalCount: 500 } },
    extensions: { upstream: { source: 'emulator' } },
  });
  const blocks = findBlocks(await readFile('examples/board/README.md', 'utf8'));
  const shown = blocks.find(({ language }) => language === 'text')?.text;
  expect(output.replace(boardPort, '4173').replace(apiPort, '40123')).toBe(shown);

  const api = startProgram([process.execPath, MAIN], { PORT: port });
  await api.see(/GraphQL at/);
  const second = startProgram([process.execPath, copy.start], { BOARD_PORT: '0' }, folder);
  await second.see(
    new RegExp(`The API: {3}http://127.0.0.1:${port}/graphql \\(already running, on demo data\\)\n`),
  );
  const third = startProgram([process.execPath, copy.start], { BOARD_PORT: boardPort }, folder);
  expect(await third.exit).toBe(1);
  expect(third.output()).toBe(
    `The board cannot be served: Port ${boardPort} is already in use: stop the program that uses it, or set BOARD_PORT\n`,
  );
  for (const { child } of [second, api, program]) child.kill('SIGINT');
  await second.exit;
  expect([await api.exit, await program.exit]).toEqual([0, 0]);
  expect(program.output()).toBe(output);
  await copy.remove();
});

it('leaves .env to its own API', async () => {
  const copy = await copyBoard();
  const folder = path.dirname(copy.start);
  const file = path.join(folder, '.env');
  const [port, boardPort] = [await findFreePort(), await findFreePort()];
  await writeFile(file, `PORT=${port}\nBOARD_PORT=${boardPort}\nLOG_LEVEL=info\nKEYAPI_EMULATOR=1\n`);
  const right = startProgram([process.execPath, copy.start], {}, folder);
  await right.see(/"used":\["KEYAPI_EMULATOR","LOG_LEVEL"\],"hidden":\["PORT"\]/);
  const [, url] = await right.see(/The board: http:\/\/localhost:(\d+)/);
  expect(url).toBe(String(boardPort));
  right.child.kill('SIGINT');
  expect(await right.exit).toBe(0);

  await rm(file);
  await symlink('.env', file);
  const wrong = startProgram([process.execPath, copy.start], {}, folder);
  expect(await wrong.exit).toBe(1);
  expect(wrong.output()).toMatch(/^\{"level":"fatal",.*"setting":".env","msg":".*ELOOP.*"\}\n$/);
  await copy.remove();
});

describeBoard('the board', () => {
  it('runs only its own scripts, and requests only covers from other origins', async () => {
    await start();
    await seeTiles(20);
    const html = await (await fetch(board.url)).text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|\son\w+=|\sstyle=/);
    const { origin } = new URL(board.url);
    const cover = new URL((await page.locator('img.cover').first().getAttribute('src')) ?? '');
    expect(new Set(open.requests().map((url) => url.origin))).toEqual(new Set([origin, cover.origin]));
    expect(open.takeComplaints()).toEqual([]);

    const isRun = await page.evaluate(async (elsewhere) => {
      const script = document.createElement('script');
      script.textContent = 'window.isRun = true';
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      document.head.append(script, style);
      const isStyled = getComputedStyle(document.body).display === 'none';
      const isReached = await fetch(elsewhere, { mode: 'no-cors' }).then(
        () => true,
        () => false,
      );
      return 'isRun' in window || isStyled || isReached;
    }, cover.origin);
    expect(isRun).toBe(false);
    expect(open.takeComplaints().join('\n')).toMatch(/inline script.*connect/s);
  });

  it('shows its frame from the first response, before any script, and loads its scripts in parts', async () => {
    await start('about:blank');
    await page.route('**/*.js', (route) => route.abort());
    await goTo('/');
    await page.locator('.tile.skeleton').first().waitFor();
    await page.getByRole('link', { name: 'Compare' }).waitFor();
    expect(open.takeComplaints().join('\n')).toMatch(/^(.*ERR_FAILED\n?)+$/);
    await expectAccessible(page);
    await savePicture('board-slow');
    const paths = open.requests().map(({ pathname }) => pathname);
    expect(new Set(paths.filter((name) => !name.endsWith('.js')))).toEqual(new Set(['/', '/icon.svg']));

    const sizes = await Promise.all(
      [...new Set(paths)].map(async (name) => [name, await readCompressedSize(name)] as const),
    );
    const scripts = sizes.filter(([name]) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(2);
    for (const [, bytes] of scripts) expect(bytes).toBeLessThan(100_000);
    // On a slow network with a latency of 0.8 s and 40 kB/s the frame stands in less than a second.
    const [, html = 0] = sizes.find(([name]) => name === '/') ?? [];
    expect(html).toBeGreaterThan(1000);
    expect(800 + html / 40).toBeLessThan(1000);
  });

  it('does not link to videos and creators that the demo data has made up', async () => {
    await start('about:blank');
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replace('"source":"keyapi"', '"source":"emulator"');
      await route.fulfill({ response, body: text });
    });
    for (const path of ['/', '/?view=compare&regions=US,IN']) {
      await goTo(path);
      await page.locator('.tile-video, .row-video').nth(19).waitFor();
      await page.getByText('demo data').waitFor();
      const links = page.locator('a[href*="tiktok.com"]');
      expect(await links.count()).toBe(0);
      await expectAccessible(page);
    }
    await goTo('/');
    await seeTiles(20);
    // The keyboard reaches a tile all the same: its caption is shown in full.
    await page.getByRole('button', { name: 'Download CSV' }).focus();
    await page.keyboard.press('Tab');
    expect(await readFocus()).toMatch(/^Rank 1 /);
  });

  it('can be used by keyboard', async () => {
    await start();
    await seeTiles(20);
    const focused: string[] = [];
    for (const _ of range(1, 15)) {
      await page.keyboard.press('Tab');
      const ring = await page.evaluate(() => {
        const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(
          document.activeElement as HTMLElement,
        );
        return outlineStyle === 'none'
          ? 0
          : Number.parseFloat(outlineWidth) + Number.parseFloat(outlineOffset);
      });
      expect(ring).toBe(5);
      focused.push(await readFocus());
    }
    expect(focused).toEqual([
      'Skip to the chart',
      'Chart',
      'Compare',
      'Region',
      'Period',
      'Order',
      'Refresh',
      'Sort',
      'Search',
      'Go to rank',
      'Go',
      'Copy link',
      'Download CSV',
      expect.stringMatching(/^Rank 1 Length 2:39 Ma colocataire/),
      '@neon_tiny',
    ]);
    // Tiles are clipped at their edge: the padding is room for the focus ring.
    expect(
      await page
        .locator('.tile')
        .first()
        .evaluate((tile) => getComputedStyle(tile).padding),
    ).toBe('5px');

    await page.getByLabel('Order').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'Most liked: United States' }).waitFor();
    expect(await readFocus()).toBe('Order');
    await page.getByRole('link', { name: 'Compare' }).press('Enter');
    await page.getByRole('button', { name: 'Remove Italy' }).press('Enter');
    await page.getByRole('heading', { name: 'Italy', level: 2 }).waitFor({ state: 'detached' });
    // The button that is now in its place.
    expect(await readFocus()).toBe('Remove Brazil');
  });

  it('does not hide a focused element behind the bar', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(60);
    const last = page.locator('.tile-video').nth(30);
    await last.focus();
    for (const _ of range(1, 40)) await page.keyboard.press('Shift+Tab');
    const [top, bar] = await page.evaluate(() => [
      document.activeElement?.getBoundingClientRect().top ?? 0,
      document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0,
    ]);
    expect(top).toBeGreaterThanOrEqual(bar ?? 0);
  });

  it.each([
    ['a chart', '/', {}],
    ['a chart in dark mode', '/?region=JP', { colorScheme: 'dark' as const }],
    ['a chart on a phone', '/', PHONE],
    ['regions side by side', '/?view=compare', {}],
    [
      'regions side by side on a phone, in dark mode',
      '/?view=compare',
      { ...PHONE, colorScheme: 'dark' as const },
    ],
    ['an error', '/?region=ZZ', {}],
    ['an error in dark mode', '/?region=ZZ', { colorScheme: 'dark' as const }],
  ])('has no accessibility violations that axe finds: %s', async (name, path, options) => {
    await start(path, options);
    await page.locator('.tile-video, .row-video, .failure').first().waitFor();
    await expectAccessible(page);
    const background = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(background).toBe(name.includes('dark') ? 'rgb(18, 18, 20)' : 'rgb(246, 245, 243)');
    if (name === 'a chart in dark mode') await savePicture('board-dark');
  });

  it.each(['US,IN,IT,BR', 'GB,NZ,CH', 'US'])(
    'has the controls of the comparison in one row on a screen of 1280 pixels: %s',
    async (regions) => {
      await start(`/?view=compare&regions=${regions}`);
      await page.locator('.row-video').first().waitFor();
      const bottoms = await page
        .locator('.choices :is(select, button)')
        .evaluateAll((controls) => controls.map((control) => control.getBoundingClientRect().bottom));
      expect(bottoms.length).toBeGreaterThan(2);
      expect(new Set(bottoms).size).toBe(1);
    },
  );

  it.each(['/', '/?view=compare', '/?view=compare&regions=GB,NZ,CH'])('fits a phone: %s', async (path) => {
    await start(path, { ...PHONE, deviceScaleFactor: 2 });
    await page.locator('.tile-video, .row-video').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    const clipped = await page.locator('main *, header *').evaluateAll((elements) =>
      elements
        .filter((element) => {
          const { left, right, width } = element.getBoundingClientRect();
          const isHidden = element.closest('.visually-hidden, svg, .with-removal label') !== null;
          // A select does not say whether its text is cut: the chosen option has to fit.
          const isCut = element.tagName === 'SELECT' && isTextCut(element as HTMLSelectElement);
          return !isHidden && width > 0 && (left < 0 || right > 390 || isCut);

          function isTextCut(select: HTMLSelectElement): boolean {
            const context = document.createElement('canvas').getContext('2d');
            if (!context) throw new Error('expected a canvas');
            context.font = getComputedStyle(select).font;
            const { width: textWidth } = context.measureText(select.selectedOptions[0]?.text ?? '');
            return textWidth + 24 > select.clientWidth;
          }
        })
        .map(({ outerHTML }) => outerHTML.slice(0, 80)),
    );
    expect(clipped).toEqual([]);
    if (path !== '/') return;
    const boxes = await Promise.all(
      range(0, 2).map((index) => page.locator('.tile').nth(index).boundingBox()),
    );
    // Two side by side, the third below.
    expect(boxes[1]?.y).toBe(boxes[0]?.y);
    expect(boxes[2]?.y).toBeGreaterThan(boxes[0]?.y ?? 0);
  });
});
