import { hash, pick } from './random.ts';

const SUBJECTS =
  `This pup|My grandma|POV: your barista|El perro de mi vecina|猫の店長|Ma colocataire|Der Opa von nebenan
|O gato da padaria|우리 집 고양이|القطة|Моя бабушка|A golden retriever|The new guy at the gym|This street musician
|Her first pancake|मेरी नानी|Il mio coinquilino|Nobody`.split(/\n?\|/);
const ACTIONS =
  `is living her best life|tries the viral pasta|learned the dance in one day|vs. the vacuum cleaner
|cooks for 40 people|finally did it|cannot believe this trick|made the crowd go silent|does the 7-second challenge
|shows how it is done|restores a 1970s radio|paints with coffee`.split(/\n?\|/);
const ENDINGS = '|...| 🐶| 😂😂| 🔥| ✨ part 2| 👩‍🍳| 🇧🇷| — wait for the end| ❤️‍🩹'.split('|');
const TAGS = '#fyp|#viral|#foryou|#dance|#recipe|#catsoftiktok|#おすすめ|#parati|#pourtoi|#diy'.split('|');
const NAMES = 'mnm|pipi|luna|kenji|the.real|sofia|dj|chef|tiny|neon|papa|yara|max|mochi|koh|ana'.split('|');

/** A plausible title, the same for the same seed. */
export function makeTitle(seed: string): string {
  const tag = pick(TAGS, `${seed}/tag`);
  return `${pick(SUBJECTS, `${seed}/who`)} ${pick(ACTIONS, `${seed}/what`)}${pick(ENDINGS, `${seed}/end`)} ${tag}`;
}

/** A plausible TikTok handle, the same for the same seed. */
export function makeHandle(seed: string): string {
  return `${pick(NAMES, `${seed}/first`)}_${pick(NAMES, `${seed}/second`)}`;
}

/** How long a video lasts, in seconds: the same for the same seed. */
export function makeDuration(seed: string): number {
  return 5 + (hash(`${seed}/duration`) % 175);
}
