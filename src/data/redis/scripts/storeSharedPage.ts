import { itemIdsOf, lacksRows, type Page, pageId } from '../../../domain/page.ts';
import changes from './changes.lua';
import lock from './lock.lua';
import pageHeader from './pageHeader.lua';
import { CHANGES_KEY, keyOfFailure, keyOfGeneration, keyOfLock, keyOfPage, keyOfVideo } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import storeSharedPageLua from './storeSharedPage.lua';

const script = defineScript('storeSharedPage', pageHeader, changes, lock, storeSharedPageLua);

/** A page that is stored for all replicas. */
export interface SharedCopy {
  readonly page: Page;
  /** The part of its value that does not depend on when it is stored. */
  readonly body: Buffer;
  readonly sequence: number;
  /** Milliseconds of Redis's clock. */
  readonly freshUntil: number;
  /** Of the lock under which it was fetched, which is then released. */
  readonly token?: string | undefined;
  /** The generation of a page that is not new. A new one joins the fresh generation, or begins one. */
  readonly membership?: { readonly generation: number; readonly isReplacement: boolean };
}

/** What became of a page. */
type Stored =
  /** A newer copy is there; no value when that is the same copy. */
  | { readonly type: 'newer'; readonly value: Buffer | undefined }
  /** It lacks rows that are stored. */
  | { readonly type: 'contradicted' }
  /** Upstream does not accept requests for the page any more. */
  | { readonly type: 'refused' }
  | {
      readonly type: 'stored';
      readonly generation: number;
      readonly freshUntil: number;
      readonly replaces: boolean;
    };

/** Stores a page for all replicas, unless a newer copy is there. */
export async function storeSharedPage(
  run: RunScript,
  { page, body, sequence, freshUntil, token, membership }: SharedCopy,
  { staleMs, ttlMs, replica }: { readonly staleMs: number; readonly ttlMs: number; readonly replica: string },
): Promise<Stored> {
  const keys = [
    keyOfPage(page),
    keyOfLock(page),
    keyOfFailure(page),
    keyOfGeneration(page.chart),
    CHANGES_KEY,
  ];
  const lists = itemIdsOf(page).map(keyOfVideo);
  const times = [sequence, Math.round(freshUntil), staleMs, ttlMs];
  const args = [
    ...times,
    pageId(page),
    replica,
    body,
    token,
    membership?.generation,
    membership?.isReplacement,
    lacksRows(page),
  ];
  const [word, first, storedUntil, replaces] = await run(script, [...keys, ...lists], args);
  const type = String(word);
  switch (type) {
    case 'newer':
      return { type, value: first as Buffer | undefined };
    case 'contradicted':
    case 'refused':
      return { type };
    default:
      return {
        type: 'stored',
        generation: Number(first),
        freshUntil: Number(storedUntil),
        replaces: replaces === 1,
      };
  }
}
