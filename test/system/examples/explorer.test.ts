import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import {
  type Browser,
  describeInBrowser,
  launchBrowser,
  type Page,
} from './board/startBoard.ts';

// Beside the examples, since it takes the browser's driver from one of them.
describeInBrowser('the explorer, without the internet', () => {
  let browser: Browser;
  let app: EmulatedApp;
  let page: Page;
  let url: string;
  /** Origins that the page has requested something from. */
  let origins: Set<string>;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    app = await startEmulatedApp();
    url = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    context.setDefaultTimeout(60_000);
    origins = new Set();
    await context.route(
      (target) => target.origin !== url && !target.protocol.startsWith('blob'),
      (route) => route.abort('internetdisconnected'),
    );
    page = await context.newPage();
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url())) origins.add(new URL(request.url()).origin);
    });
  });
  afterEach(async () => {
    await page.context().close();
    await app.close();
  });

  it('executes the examples in GraphiQL, to which / leads', async () => {
    await page.goto(url);
    expect(page.url()).toBe(`${url}/graphiql`);
    await page.getByRole('button', { name: /execute query/i }).click();
    const result = page.locator('.result-window');
    await result.getByText('totalCount').first().waitFor();

    // The tabs slide into their places at first; a click before that is lost.
    const tab = page.locator('.graphiql-tab-button', { hasText: 'VideosByItemId' });
    const variables = page.locator('.graphiql-editor').getByText('7310871003254096742');
    await expect(async () => {
      await tab.click();
      await variables.first().waitFor({ timeout: 1000 });
    });
    expect([...origins]).toEqual([url]);
  });
});
