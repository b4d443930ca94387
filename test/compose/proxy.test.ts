import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { createLog } from '../../src/observe/log/createLog.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { type HttpProxy, refuse, startHttpProxy } from '../support/httpProxy.ts';

let proxy: HttpProxy;
let app: TestApp;

beforeEach(async () => {
  proxy = await startHttpProxy({ targetPort: 9, onConnect: refuse(407) });
});
afterEach(async () => {
  await app.close();
  await proxy.close();
});

describe('a proxy that refuses to connect to KeyAPI', () => {
  it('costs nothing, and the budget of the day gets its credits back', async () => {
    const events: AppEvent[] = [];
    const lines: string[] = [];
    const log = createLog({ level: 'info', secrets: [] }, { write: (line) => void lines.push(line) });
    const variables = { HTTPS_PROXY: `user:never-shown@${proxy.url.host}`, CREDIT_BUDGET_PER_DAY: '2' };
    const clock = createTestClock();
    app = await startApp(new URL('https://keyapi.test'), variables, {
      clock,
      log,
      onEvent: (event) => void events.push(event),
    });
    const { errors, extensions } = await app.query('{ trendingVideos { totalCount } }');
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_UNAVAILABLE', retryable: true } }]);
    expect(extensions.upstream).toMatchObject({ requests: 0, credits: 0 });
    // As after any other failure of a connection, there is one retry.
    expect(proxy.connects.map(({ destination }) => destination)).toEqual([
      'keyapi.test:443',
      'keyapi.test:443',
    ]);
    const failures = events.filter(({ type }) => type === 'connectionFailed');
    const detail = expect.stringMatching(/^ProxyError: proxy http:\S+: expected HTTP 200 .* but got: 407$/);
    expect(failures).toMatchObject([{ detail }, { detail }]);
    expect(events.filter(({ type }) => type === 'upstreamCall')).toEqual([]);
    expect((await app.server.inject('/readyz')).json()).toMatchObject({ budget: 'left' });
    const logged = lines.join('');
    expect(logged).toMatch(/"detail":"ProxyError: .*407".*"msg":"No connection to KeyAPI/);
    expect(logged + JSON.stringify(events)).not.toMatch(/never-shown/);
  });
});
