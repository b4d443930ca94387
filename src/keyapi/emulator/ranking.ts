import type { Chart } from '../../domain/chart.ts';
import { METRICS } from './parameters.ts';
import { createScores } from './scores.ts';
import { type Group, groupsOf, seedPrefixOf, sizeOf, toVideo, type Video, WORLD } from './videos.ts';

/** How many videos a chart has. */
export const CHART_LENGTH = 500;

/** A video that may be on a chart. It is made only if it is, because that takes longer than its score. */
interface Candidate {
  readonly group: Group;
  readonly position: number;
  readonly score: number;
}

/** The videos of a chart on a UTC day, top first. */
export function rankVideos({ region, period, orderBy }: Chart, day: number): Video[] {
  return [region, WORLD]
    .flatMap((place) => groupsOf(place, period))
    .flatMap((group) => listCandidates(group, createScores(group, METRICS[orderBy], day)))
    .sort((a, b) => a.score - b.score || (seedOf(a) < seedOf(b) ? -1 : 1))
    .slice(0, CHART_LENGTH)
    .map(({ group, position }) => toVideo(group, position));
}

function listCandidates(group: Group, scoreAt: (position: number) => number): Candidate[] {
  return Array.from({ length: sizeOf(group) }, (_, position) => ({
    group,
    position,
    score: scoreAt(position),
  }));
}

function seedOf({ group, position }: Candidate): string {
  return `${seedPrefixOf(group)}${position}`;
}
