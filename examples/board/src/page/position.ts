import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';

/** Where somebody was on the page. It is stored in the entry of the browser's history, for reloads and the back button. */
interface Position {
  /** How many ranks were loaded. */
  readonly loaded: number;
  readonly scrollY: number;
  /** The tile at the top of the window, and the distance of its top from that of the window; only with tiles. */
  readonly tile?: { readonly rank: number; readonly top: number };
}

/** How long the page must stand still before its position is stored. */
const STILL_MS = 100;

function readPosition(): Position | undefined {
  return window.history.state?.position;
}

function storePosition(loaded: number): void {
  const element = findVisibleTile();
  const tile = element && { rank: rankOf(element), top: element.getBoundingClientRect().top };
  const position: Position = { loaded, scrollY: window.scrollY, ...(tile && { tile }) };
  window.history.replaceState({ ...window.history.state, position }, '');
}

function returnTo({ scrollY, tile }: Position): void {
  const element = tile && findTile(tile.rank);
  const distance = element ? element.getBoundingClientRect().top - tile.top : scrollY - window.scrollY;
  window.scrollBy({ top: distance, behavior: 'instant' });
}

function findTiles(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-rank]')];
}

function rankOf(tile: HTMLElement): number {
  return Number(tile.dataset.rank);
}

/** The first tile that is not above the window or behind its bar; undefined if there is none. */
function findVisibleTile(): HTMLElement | undefined {
  const bar = document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0;
  return findTiles().find((tile) => tile.getBoundingClientRect().bottom > bar);
}

/** The tile of a rank, or of the next one that there is. */
function findTile(rank: number): HTMLElement | undefined {
  const tiles = findTiles();
  return tiles.find((tile) => rankOf(tile) >= rank) ?? tiles.at(-1);
}

/** The rank of the tile at the top of the window; 1 if there is none. */
export function findVisibleRank(): number {
  const tile = findVisibleTile();
  return tile ? rankOf(tile) : 1;
}

/** Scrolls to the tile of a rank, and focuses it. */
export function showRank(rank: number): void {
  const tile = findTile(rank);
  tile?.scrollIntoView({ block: 'start' });
  tile?.querySelector<HTMLElement>('.tile-video')?.focus({ preventScroll: true });
}

/**
 * Stores the position while somebody scrolls, and returns to the stored one as soon as the page is ready. Gives how many
 * ranks to load for that; 0 if the page is opened for the first time.
 */
export function usePosition(loaded: number, isReady: (wanted: number) => boolean): number {
  const [stored] = useState(readPosition);
  const isReturned = useRef(stored === undefined);

  // After each render, until the page is ready.
  useLayoutEffect(() => {
    if (isReturned.current || !stored || !isReady(stored.loaded)) return;
    isReturned.current = true;
    returnTo(stored);
    // The tiles that are visible only now may be higher than was estimated.
    requestAnimationFrame(() => returnTo(stored));
  });

  const store = useEffectEvent(() => {
    if (isReturned.current) storePosition(loaded);
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const storeWhenStill = (): void => {
      clearTimeout(timer);
      timer = setTimeout(store, STILL_MS);
    };
    const storeNow = (): void => store();
    window.addEventListener('scroll', storeWhenStill);
    window.addEventListener('pagehide', storeNow);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('scroll', storeWhenStill);
      window.removeEventListener('pagehide', storeNow);
    };
  }, []);

  return stored?.loaded ?? 0;
}
