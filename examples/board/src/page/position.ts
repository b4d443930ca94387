import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';

/** Where somebody was on the page. It is stored in the entry of the browser's history, for reloads and the back button. */
interface Position {
  /** How many ranks of the chart are needed to show it. */
  readonly needed: number;
  readonly scrollY: number;
  /** The tile at the top of the window, and the distance of its top from that of the window; only with tiles. */
  readonly tile?: { readonly rank: number; readonly top: number };
}

/** In so many frames all tiles have their height. */
const FRAMES = 8;
/** The distance of a tile from the bar after a jump to it, in pixels. */
const BELOW_BAR = 40;
/** How long the page must stand still before its position is stored: Safari allows 100 changes of the history in 30 s. */
const STILL_MS = 300;

function readPosition(): Position | undefined {
  return window.history.state?.position;
}

function storePosition(needed: number): void {
  const element = findVisibleTile();
  const tile = element && { rank: rankOf(element), top: element.getBoundingClientRect().top };
  const position: Position = { needed, scrollY: window.scrollY, ...(tile && { tile }) };
  window.history.replaceState({ ...window.history.state, position }, '');
}

let nextFrame = 0;

/** Scrolls to a position; to a tile again in the next frames, since tiles above it may be higher than was estimated. */
function scrollTo(position: Omit<Position, 'needed'>, frames = FRAMES): void {
  const { scrollY, tile } = position;
  const element = tile && findTile(tile.rank);
  const distance = element ? element.getBoundingClientRect().top - tile.top : scrollY - window.scrollY;
  window.scrollBy({ top: distance, behavior: 'instant' });
  cancelAnimationFrame(nextFrame);
  if (element && frames > 1) nextFrame = requestAnimationFrame(() => scrollTo(position, frames - 1));
}

function findTiles(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-rank]')];
}

function rankOf(tile: HTMLElement): number {
  return Number(tile.dataset.rank);
}

/** The first tile of which most is visible, below the bar; undefined if there is none. */
function findVisibleTile(): HTMLElement | undefined {
  const bar = findBarBottom();
  return findTiles().find((tile) => {
    const { top, height } = tile.getBoundingClientRect();
    return top + height / 2 > bar;
  });
}

/** The tile of a rank, or of the next one that there is; undefined if there are none. The list may be sorted otherwise. */
function findTile(rank: number): HTMLElement | undefined {
  const tiles = findTiles().sort((a, b) => rankOf(a) - rankOf(b));
  return tiles.find((tile) => rankOf(tile) >= rank) ?? tiles.at(-1);
}

/** The lower edge of the bar at the top of the window. */
function findBarBottom(): number {
  return document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0;
}

/** The rank of the tile at the top of the window; 1 if there is none. */
export function findVisibleRank(): number {
  const tile = findVisibleTile();
  return tile ? rankOf(tile) : 1;
}

/** The rank of the last tile that begins above the bottom of the window; 0 if there is none. */
export function findLastVisibleRank(): number {
  const tile = findTiles().findLast((each) => each.getBoundingClientRect().top < window.innerHeight);
  return tile ? rankOf(tile) : 0;
}

/** Scrolls to the tile of a rank, and focuses it. */
export function showRank(rank: number): void {
  scrollTo({ scrollY: 0, tile: { rank, top: findBarBottom() + BELOW_BAR } });
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
 * Stores the position while somebody scrolls, and returns to the stored one: after a step in the browser's history, and
 * after a reload as soon as the page is ready, unless somebody scrolls before. `list` changes whenever the list does;
 * `countNeeded` says how many ranks the page needs for what is visible. Gives how many it needed when the position was
 * stored; 0 if there is no stored position.
 */
export function usePosition(
  list: string,
  countNeeded: () => number,
  isReady: (needed: number) => boolean,
): number {
  const [stored] = useState(readPosition);
  const isReturned = useRef(stored === undefined);

  useLayoutEffect(() => {
    if (!stored) scrollTo({ scrollY: 0 });
    return () => cancelAnimationFrame(nextFrame);
  }, [stored]);

  // After each render, until the page is ready.
  useLayoutEffect(() => {
    if (isReturned.current || !stored || !isReady(stored.needed)) return;
    isReturned.current = true;
    scrollTo(stored);
  });

  const store = useEffectEvent(() => {
    if (isReturned.current) storePosition(countNeeded());
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const handlers = {
      scroll: () => {
        clearTimeout(timer);
        timer = setTimeout(() => store(), STILL_MS);
      },
      popstate: () => {
        // What is pending is of the entry before this one.
        clearTimeout(timer);
        giveUp();
        const position = readPosition() ?? { scrollY: 0 };
        // What is in this entry is rendered by the next frame.
        nextFrame = requestAnimationFrame(() => scrollTo(position));
      },
      // Whatever somebody scrolls with.
      wheel: giveUp,
      touchmove: giveUp,
      pointerdown: giveUp,
      keydown: giveUp,
    };
    /** Returns no more. */
    function giveUp(): void {
      isReturned.current = true;
      cancelAnimationFrame(nextFrame);
    }
    for (const [type, handler] of Object.entries(handlers)) window.addEventListener(type, handler);
    return () => {
      clearTimeout(timer);
      for (const [type, handler] of Object.entries(handlers)) window.removeEventListener(type, handler);
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list may need more ranks.
  useEffect(() => store(), [list]);

  return stored?.needed ?? 0;
}
