import { toUtcDay } from '../../domain/utcDay.ts';
import type { Metric } from './parameters.ts';
import { absorb, finish } from './random.ts';
import { type Group, homeOf, seedPrefixOf, sizeOf } from './videos.ts';

/** The UTC day on which every video has its own score: that of 2026-01-01, on which documented results were made. */
export const UNMOVED_DAY = toUtcDay(Date.UTC(2026, 0, 1));

/** Of the scores of a group, those that count as near the top. */
const NEAR_TOP = 0.05;

/** For how many days a pair stays as it is. Each pair has its own days. */
const DAYS_BETWEEN_MOVES = 3;

/** How likely each of the two states of a pair is: near the top, where people look, there are more moves. */
const LIKELIHOOD = { nearTop: 0.5, elsewhere: 0.17 };

/**
 * The scores that never change owners, as shares of all: those of the top, and of two other videos that the
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
 * pairs of videos exchange their scores for some days, which moves no other video.
 */
export function createScores(group: Group, metric: Metric, day: number): (position: number) => number {
  const prefix = seedPrefixOf(group);
  // The 7 is part of what documented results were made with.
  const ownState = absorb(`${homeOf(group.place)}/7/${metric}/${prefix}`);
  const ownScore = (position: number): number => finish(absorb(String(position), ownState));
  if (day === UNMOVED_DAY) return ownScore;

  const size = sizeOf(group);
  const pairState = absorb(`moves/${metric}/${prefix}`);
  // The positions of a pair have this sum, in a ring: so each is the partner of its partner.
  const sum = finish(pairState) % size;

  return (position) => {
    const score = ownScore(position);
    const partner = (size + sum - position) % size;
    const other = ownScore(partner);
    if (isKept(score) || isKept(other)) return score;
    const isNearTop = Math.min(score, other) < NEAR_TOP * SCORES;
    const pair = absorb(`${Math.min(position, partner)}/`, pairState);
    return isExchanged(pair, day, isNearTop ? LIKELIHOOD.nearTop : LIKELIHOOD.elsewhere) ? other : score;
  };
}

/** Whether a pair is in another state on a day than on the unmoved one. */
function isExchanged(pair: number, day: number, likelihood: number): boolean {
  const phase = finish(pair) % DAYS_BETWEEN_MOVES;
  const stateOn = (date: number): boolean => {
    const period = Math.floor((date + phase) / DAYS_BETWEEN_MOVES);
    return finish(absorb(String(period), pair)) < likelihood * SCORES;
  };
  return stateOn(day) !== stateOn(UNMOVED_DAY);
}

function isKept(score: number): boolean {
  return KEPT.some(({ from, below }) => score >= from * SCORES && score < below * SCORES);
}
