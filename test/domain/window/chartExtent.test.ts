import { describe, expect, it } from '@jest/globals';
import type { CachedPage } from '../../../src/domain/page.ts';
import { byAge, extentOf, pageSizeOf } from '../../../src/domain/window/chartExtent.ts';
import { makePage, makeVideos } from '../../support/charts.ts';

const chart = makeVideos(1, 500);

function page(number: number, rowCount: number, overrides: Partial<CachedPage> = {}): CachedPage {
  return makePage(chart, number, 20, {
    rows: makeVideos(1, rowCount),
    totalCount: 500,
    hasMore: true,
    ...overrides,
  });
}

function lengthOf(...pages: CachedPage[]): number | undefined {
  return extentOf(pages.sort(byAge)).length;
}

describe('extentOf', () => {
  it('gives no length while no page is known', () => {
    expect(lengthOf()).toBeUndefined();
  });

  it('takes the length from totalCount', () => {
    expect(lengthOf(page(3, 20))).toBe(500);
  });

  it('takes the length from the newest page, whether the chart grew or shrank', () => {
    expect(lengthOf(page(1, 20), page(2, 20, { totalCount: 480, sequence: 2 }))).toBe(480);
    expect(lengthOf(page(2, 20, { totalCount: 480 }), page(1, 20, { sequence: 2 }))).toBe(500);
  });

  it('ends the chart at an empty page, whatever the page claims', () => {
    expect(lengthOf(page(24, 0))).toBe(460);
    expect(lengthOf(page(1, 0))).toBe(0);
  });

  it('ends the chart at a short page without hasMore, also when empty pages further down are known', () => {
    const short = page(3, 5, { hasMore: false });
    expect(lengthOf(short)).toBe(45);
    expect(lengthOf(short, page(4, 0), page(5, 0))).toBe(45);
    expect(lengthOf(page(5, 0), page(4, 0), { ...short, sequence: 2 })).toBe(45);
  });

  it('keeps the end that an older page showed while newer ones claim the same and have no rows beyond it', () => {
    expect(lengthOf(page(24, 0), page(1, 20, { sequence: 2 }))).toBe(460);
    expect(lengthOf(page(22, 0), page(23, 20, { sequence: 2 }))).toBe(500);
  });

  it('does not end the chart at an empty or short page when an older or newer page has rows further down', () => {
    for (const hole of [page(4, 0), page(4, 5, { hasMore: false })]) {
      expect(lengthOf(hole, page(5, 20))).toBe(500);
      expect(lengthOf({ ...hole, sequence: 2 }, page(5, 20))).toBe(500);
    }
  });

  it('marks an end before the claimed length as doubtful, until it is known to within a page', () => {
    const isDoubtful = (...pages: CachedPage[]): boolean => extentOf(pages.sort(byAge)).isDoubtful;
    expect(isDoubtful(page(1, 20), page(25, 0))).toBe(true);
    expect(isDoubtful(page(6, 20), page(8, 0))).toBe(false);
    expect(isDoubtful(page(1, 20), page(3, 5, { hasMore: false }))).toBe(false);
    expect(isDoubtful(page(1, 20))).toBe(false);
  });

  it('trusts totalCount rather than hasMore', () => {
    expect(lengthOf(page(3, 20, { hasMore: false }))).toBe(500);
    expect(lengthOf(page(25, 20, { hasMore: true }))).toBe(500);
  });

  it('counts the ranks that were seen even when totalCount is too small', () => {
    expect(lengthOf(page(2, 20, { totalCount: 0 }))).toBe(40);
  });

  it('treats a short page with hasMore as a page with empty ranks', () => {
    expect(lengthOf(page(2, 15))).toBe(500);
  });

  it('gives length 0 for an empty chart', () => {
    expect(lengthOf(page(1, 0, { totalCount: 0, hasMore: false }))).toBe(0);
  });
});

describe('pageSizeOf', () => {
  it('is 20 while no page is known, then the page size of the newest page', () => {
    expect(pageSizeOf([])).toBe(20);
    expect(pageSizeOf([page(1, 20), page(2, 10, { pageSize: 10, sequence: 2 })].sort(byAge))).toBe(10);
  });
});
