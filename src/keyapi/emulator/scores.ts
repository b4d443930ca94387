import { toUtcDay } from '../../domain/utcDay.ts';
import type { Metric } from './parameters.ts';
import { absorb, finish } from './random.ts';
import { type Group, homeOf, seedPrefixOf, sizeOf } from './videos.ts';

/** The UTC day on which every video has its own score: that of 2026-01-01, on which documented results were made. */
export const UNMOVED_DAY = toUtcDay(Date.UTC(2026, 0, 1));

/** Of the scores of a group, those that count as near the top. */
const NEAR_TOP = 0.05;

/**
 * The share of pairs that exchange their scores on a day: more of them near the top, where people look. Twice as many are
 * elsewhere the day after.
 */
const EXCHANGED = { nearTop: 0.15, elsewhere: 0.035 };

/**
 * The scores that no video gives away, as shares of all: those of the top, and of two other videos that the
 * documentation shows. So its examples hold on any day.
 */
const KEPT = [
  { from: 0, below: 0.003 },
  { from: 0.02338, below: 0.02339 },
  { from: 0.50276, below: 0.50277 },
];

const SCORES = 2 ** 32;

/**
 * Gives the score of the video at a position of a group: where it stands among all others by a metric on a UTC day, the
 * lowest at the top. Charts and numbers follow from it, so that they cannot contradict each other. Charts move because
 * pairs of videos exchange their scores for a day, which moves no other video.
 */
export function createScores(group: Group, metric: Metric, day: number): (position: number) => number {
  const prefix = seedPrefixOf(group);
  // The 7 is part of what documented results were made with.
  const ownState = absorb(`${homeOf(group.place)}/7/${metric}/${prefix}`);
  const ownScore = (position: number): number => finish(absorb(String(position), ownState));
  if (day === UNMOVED_DAY) return ownScore;

  const size = sizeOf(group);
  const pairState = absorb(`${day}/${metric}/${prefix}`);
  // The positions of a pair have this sum, in a ring: so each is the partner of its partner.
  const sum = finish(pairState) % size;
  const pairHash = (position: number, partner: number): number =>
    finish(absorb(String(position < partner ? position : partner), pairState)) / SCORES;

  return (position) => {
    const score = ownScore(position);
    const partner = (size + sum - position) % size;
    const hash = pairHash(position, partner);
    // Most pairs need no second score.
    if (hash >= EXCHANGED.nearTop) return score;
    const other = ownScore(partner);
    const isNearTop = Math.min(score, other) < NEAR_TOP * SCORES;
    const isExchanged = hash < (isNearTop ? EXCHANGED.nearTop : EXCHANGED.elsewhere);
    return !isExchanged || isKept(score) || isKept(other) ? score : other;
  };
}

function isKept(score: number): boolean {
  return KEPT.some(({ from, below }) => score >= from * SCORES && score < below * SCORES);
}
