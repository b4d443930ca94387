import { expect, it } from '@jest/globals';
import { withBulkhead } from '../../src/data/withBulkhead.ts';
import type { Page, PageSource } from '../../src/domain/page.ts';
import { makePage, makeVideos, US_VIEWS } from '../support/charts.ts';

it('lets so many through at once, the next when one is done, whatever became of it', async () => {
  const started: number[] = [];
  const settle = new Map<number, { resolve: (page: Page) => void; reject: (error: Error) => void }>();
  const source: PageSource = ({ number }) => {
    started.push(number);
    return new Promise((resolve, reject) => void settle.set(number, { resolve, reject }));
  };
  const limited = withBulkhead(source, 2);
  const options = { onRequest: () => undefined };
  const pages = [1, 2, 3, 4].map((number) => limited({ chart: US_VIEWS, number, pageSize: 20 }, options));
  const outcomes = Promise.allSettled(pages);
  await new Promise(setImmediate);
  expect(started).toEqual([1, 2]);

  settle.get(2)?.resolve(makePage(makeVideos(1, 40), 2, 20));
  await new Promise(setImmediate);
  expect(started).toEqual([1, 2, 3]);

  settle.get(1)?.reject(new Error('gone'));
  await new Promise(setImmediate);
  expect(started).toEqual([1, 2, 3, 4]);

  for (const { resolve } of settle.values()) resolve(makePage(makeVideos(1, 40), 1, 20));
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
