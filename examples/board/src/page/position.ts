import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';

/** Where somebody was on the page. It is stored in the entry of the browser's history, for reloads and the back button. */
interface Position {
  /** How many ranks were loaded. */
  readonly loaded: number;
  readonly scrollY: number;
  /** The tile at the top of the window, and the distance of its top from that of the window; only with tiles. */
  readonly tile?: { readonly rank: number; readonly top: number };
}

/** In so many frames all tiles have their height. */
const FRAMES = 8;
/** Where a tile is after a jump to it: below the bar, in pixels. */
const BELOW_BAR = 96;
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

let nextFrame = 0;

/** Scrolls to a position; again in the next frames, since tiles that become visible may be higher than was estimated. */
function scrollTo(position: Omit<Position, 'loaded'>, frames = FRAMES): void {
  const { scrollY, tile } = position;
  const element = tile && findTile(tile.rank);
  const distance = element ? element.getBoundingClientRect().top - tile.top : scrollY - window.scrollY;
  window.scrollBy({ top: distance, behavior: 'instant' });
  cancelAnimationFrame(nextFrame);
  if (frames > 1) nextFrame = requestAnimationFrame(() => scrollTo(position, frames - 1));
}

function findTiles(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-rank]')];
}

function rankOf(tile: HTMLElement): number {
  return Number(tile.dataset.rank);
}

/** The first tile of which most is visible, below the bar; undefined if there is none. */
function findVisibleTile(): HTMLElement | undefined {
  const bar = document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0;
  return findTiles().find((tile) => {
    const { top, height } = tile.getBoundingClientRect();
    return top + height / 2 > bar;
  });
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
  scrollTo({ scrollY: 0, tile: { rank, top: BELOW_BAR } });
  findTile(rank)?.querySelector<HTMLElement>('.tile-video')?.focus({ preventScroll: true });
}

/** Scrolls to the top of the page, and focuses its heading. */
export function showTop(): void {
  scrollTo({ scrollY: 0 });
  document.getElementById('chart')?.focus({ preventScroll: true });
}

// Browsers would scroll before the list is there.
window.history.scrollRestoration = 'manual';

/**
 * Stores the position while somebody scrolls, and returns to the stored one as soon as the page is ready. Gives how many
 * ranks to load for that; 0 if the page is opened for the first time.
 */
export function usePosition(loaded: number, isReady: (wanted: number) => boolean): number {
  const [stored] = useState(readPosition);
  const isReturned = useRef(stored === undefined);

  useLayoutEffect(() => {
    if (!stored) scrollTo({ scrollY: 0 });
    return () => cancelAnimationFrame(nextFrame);
  }, [stored]);

  // After each render, until the page is ready.
  useLayoutEffect(() => {
    if (isReturned.current || !stored || !isReady(stored.loaded)) return;
    isReturned.current = true;
    scrollTo(stored);
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
