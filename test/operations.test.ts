import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SETTLE_MS } from '../src/compose/createApp.ts';
import { DRAIN_MS } from '../src/server/drainOnClose.ts';
import { startApp } from './support/app.ts';

let operations: string;

beforeAll(async () => {
  operations = await readFile('docs/operations.md', 'utf8');
});

function find(pattern: RegExp): string {
  const found = pattern.exec(operations)?.[1];
  if (found === undefined) throw new Error(`expected ${pattern}`);
  return found;
}

describe('docs/operations.md', () => {
  it('gives a pod more time to stop than preStop, the drain and the cache file take', () => {
    const graceMs = Number(find(/terminationGracePeriodSeconds: (\d+)/)) * 1000;
    const preStopMs = Number(find(/command: \[sleep, "(\d+)"\]/)) * 1000;
    expect(graceMs).toBeGreaterThan(preStopMs + DRAIN_MS + SETTLE_MS + 2000);
  });

  it('probes only paths that exist', async () => {
    const app = await startApp(new URL('http://127.0.0.1:9'));
    const paths = [...operations.matchAll(/httpGet: \{ path: (\S+), port: 4000 \}/g)].map(([, path]) => path);
    expect(paths).toEqual(['/livez', '/livez', '/readyz']);
    for (const path of paths) expect((await app.server.inject(path ?? '')).statusCode).toBe(200);
    await app.close();
  });

  it('queries only metrics and labels that its table lists', async () => {
    const rows = [...operations.matchAll(/^\| `((?:trending|process)_\w+)` \| \w+ \| ([^|]*) \|/gm)];
    const labels = new Map(rows.map(([, name = '', list = '']) => [name, list]));
    const expressions = [...operations.matchAll(/^```promql\n(.*?)^```$/gms)]
      .map(([, text = '']) => text)
      .join('');
    const used = [
      ...expressions.matchAll(/((?:trending|process)_\w+?)(?:_count|_bucket|_sum)?\b(?:\{(.+?)\})?/g),
    ];
    expect(used.length).toBeGreaterThan(12);
    for (const [, name = '', selector = ''] of used) {
      expect([name, labels.has(name)]).toEqual([name, true]);
      // Prometheus adds the label `job` to all series.
      for (const [, label] of selector.replace(/^job="[^"]+"$/, '').matchAll(/(\w+)(?:=|!=)/g))
        expect([name, labels.get(name)]).toEqual([name, expect.stringContaining(`\`${label}\``)]);
    }
    const grouped = [
      ...expressions.matchAll(
        / by \(([\w, ]+)\) \(.*?((?:trending|process)_\w+?)(?:_count|_bucket|_sum)?\b/g,
      ),
    ];
    expect(grouped.length).toBeGreaterThan(4);
    for (const [, list = '', name = ''] of grouped) {
      for (const label of list.split(', ').filter((each) => each !== 'le'))
        expect([name, labels.get(name)]).toEqual([name, expect.stringContaining(`\`${label}\``)]);
    }
  });

  it('mentions only error codes that docs/errors.md lists', async () => {
    const errors = await readFile('docs/errors.md', 'utf8');
    const known = [...errors.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);
    const named = [...operations.matchAll(/`((?:UPSTREAM|SERVER|PERSISTED_QUERY|INTERNAL)_[A-Z_]+)`/g)];
    const codes = [...new Set(named.map(([, code]) => code))];
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
  });
});
