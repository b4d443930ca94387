import { hash } from './random.ts';

const HOUR_MS = 3_600_000;

/** The signed link to an item's cover, valid for 24 to 25 hours. */
export function signCoverUrl(origin: string, itemId: string, now: number): string {
  const expires = (Math.floor(now / HOUR_MS) + 25) * 3600;
  const url = new URL(`/tos-emulated/${itemId}~tplv-noop.image`, origin);
  url.search = `dr=18692&x-expires=${expires}&x-signature=${sign(itemId, expires)}`;
  return url.href;
}

/** The SVG of a signed link; null when the link is forged or has expired. */
export function renderCover(url: URL, now: number): string | null {
  const itemId = /^\/tos-emulated\/(\d+)~/.exec(url.pathname)?.[1] ?? '';
  const expires = Number(url.searchParams.get('x-expires'));
  const isValid = expires * 1000 > now && url.searchParams.get('x-signature') === sign(itemId, expires);
  if (itemId === '' || !isValid) return null;
  const number = (part: string, from: number, to: number): number =>
    from + (hash(`${itemId}/${part}`) % (to - from));
  const hue = number('hue', 0, 360);
  const color = (turn: number, lightness: number): string => `hsl(${(hue + turn) % 360} 65% ${lightness}%)`;
  const circle = (part: string, fill: string): string => {
    const [x, y, radius] = [
      number(`${part}x`, 0, 90),
      number(`${part}y`, 20, 150),
      number(`${part}r`, 12, 45),
    ];
    return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}" opacity="0.75"/>`;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 160">
<linearGradient id="sky" x2="0.4" y2="1">
<stop stop-color="${color(0, 55)}"/><stop offset="1" stop-color="${color(number('turn', 30, 90), 25)}"/>
</linearGradient>
<rect width="90" height="160" fill="url(#sky)"/>
${circle('a', color(200, 65))}
${circle('b', color(40, 70))}
${circle('c', color(320, 45))}
</svg>
`;
}

/** Not secret: it only has to look like a signature, and to detect a changed link. */
function sign(itemId: string, expires: number): string {
  return Buffer.from(`${hash(`${itemId}/${expires}`)}/emulated`).toString('base64url');
}
