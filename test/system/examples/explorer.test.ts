import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { EXAMPLES } from '../../../src/server/explorer/examples.ts';
import { poll } from '../support/poll.ts';
import { MAIN, PATIENT, type Program, startProgram } from '../support/program.ts';
import { type Browser, describeInBrowser, launchBrowser, type Page } from './board/startBoard.ts';

// Beside the tests of the examples, because one of them installs the browser's driver.
describeInBrowser('without the internet', () => {
  let browser: Browser;
  let program: Program;
  let url: string;
  let page: Page;
  /** Origins that pages have requested something from. */
  let origins: Set<string>;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    program = startProgram([process.execPath, MAIN], { PORT: '0', ...PATIENT });
    [, url = ''] = await program.see(/GraphQL at (http:\S+)\/graphql/);
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    await context.route(
      ({ origin }) => origin !== url,
      (route) => route.abort('internetdisconnected'),
    );
    page = await context.newPage();
    origins = new Set();
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url())) origins.add(new URL(request.url()).origin);
    });
  });
  afterEach(async () => {
    await page.context().close();
    program.child.kill('SIGKILL');
    await program.exit;
  });

  it('/ leads to GraphiQL, which executes the examples and requests nothing from elsewhere', async () => {
    const response = await page.goto(url);
    expect(page.url()).toBe(`${url}/graphiql`);
    expect(response?.headers()).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*connect-src 'self';/),
      'x-frame-options': 'DENY',
    });
    const tabs = page.locator('.graphiql-tab-button');
    const execute = page.getByRole('button', { name: 'Execute query' });
    const result = page.locator('.result-window');
    await execute.click();
    await result.getByText('totalCount').first().waitFor();
    if (process.env.WRITE_DOCS) await page.screenshot({ path: 'docs/images/graphiql.png' });
    expect((await tabs.allTextContents()).map((name) => name.toLowerCase())).toEqual(
      EXAMPLES.map(({ name }) => name.toLowerCase()),
    );

    const videosByItemId = tabs.filter({ hasText: 'VideosByItemId' });
    await poll(async () => {
      // A click is lost while the tabs still slide into their places.
      await videosByItemId.click();
      return (await videosByItemId.locator('xpath=..').getAttribute('aria-selected')) === 'true';
    });
    // The editors follow a moment later. Until then the operation of the tab before would be executed, or this one without variables.
    await page.getByLabel('Operation Editor').getByText('VideosByItemId').first().waitFor();
    await page.getByLabel('Variables').getByText('itemIds').first().waitFor();
    await execute.click();
    await result.getByText('Ma colocataire cooks for 40 people').first().waitFor();
    expect([...origins]).toEqual([url]);
    expect(program.output().match(/"msg":"Upstream call"/g)).toHaveLength(1);
  });

  it("Apollo Sandbox's page leads to GraphiQL", async () => {
    await page.goto(`${url}/graphql`);
    await page.getByRole('link', { name: 'GraphiQL at /graphiql' }).click();
    await page.waitForURL(`${url}/graphiql`);
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
  });
});
