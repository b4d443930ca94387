import { useQuery } from '@apollo/client/react';
import { useRef } from 'react';
import { PAGE_SIZE } from '../api/windows.ts';
import { type Explanation, errorsOf, explain, explainError } from '../failures/explainError.ts';
import { useLastError } from '../failures/useLastError.ts';
import { type CompareColumnFragment, CompareDocument } from '../generated/documents.ts';
import type { Place } from '../page/place.ts';

const ALIASES = ['a', 'b', 'c', 'd'] as const;

/** The top of one region. */
interface Column {
  readonly region: string;
  /** What has been loaded, also if a later request failed. */
  readonly chart: CompareColumnFragment | undefined;
  /** Why the last request for this region failed. */
  readonly failure: Explanation | undefined;
}

/** Loads the tops of several regions in one operation; `failure` says why there was no response to all of it. */
export function useColumns({ regions, period, orderBy }: Place) {
  const [a = 'US', b, c, d] = regions;
  const { data, error, loading, refetch } = useQuery(CompareDocument, {
    variables: {
      ...{ period, orderBy, first: PAGE_SIZE, a, withB: Boolean(b), withC: Boolean(c), withD: Boolean(d) },
      ...(b && { b }),
      ...(c && { c }),
      ...(d && { d }),
    },
    // Show the regions that succeeded even if others failed.
    errorPolicy: 'all',
    // The cache has one list for each chart: its edges have more fields than these.
    fetchPolicy: 'no-cache',
  });
  const lastError = useLastError(error, loading);
  const isOfFields = errorsOf(lastError).some(({ path }) => path !== undefined);
  // By chart, so that what has loaded stays while other regions load, and a failure stays with its region.
  const known = useRef(new Map<string, Column>()).current;
  const columns = regions.map((region, index): Column => {
    const key = `${region} ${period} ${orderBy}`;
    const before = known.get(key) ?? { region, chart: undefined, failure: undefined };
    if (loading) return before;
    const alias = ALIASES[index] ?? 'a';
    const failed = errorsOf(error).find(({ path }) => path?.[0] === alias);
    const column = {
      region,
      chart: data?.[alias] ?? before.chart,
      failure: failed && explain(failed),
    };
    known.set(key, column);
    return column;
  });
  return {
    columns,
    failure: lastError && !isOfFields ? explainError(lastError) : undefined,
    isLoading: loading,
    retry: () => void refetch().catch(() => undefined),
  };
}
