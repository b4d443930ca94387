import type { ConfigProblem } from './configError.ts';
import type { Variables } from './environment.ts';
import { SETTINGS } from './settings.ts';
import { findVariable, settingOf } from './variableNames.ts';

/** Shorter names are too often those of other programs. */
const MIN_LENGTH = 8;

/** Variables that look like a misspelt setting: one edit, or upper case, away from one that is not set itself. */
export function findNearMisses(variables: Variables): ConfigProblem[] {
  const unset = Object.keys(SETTINGS).filter((name) => findVariable(name, variables) === undefined);
  return Object.keys(variables).flatMap((name) => {
    if (settingOf(name) in SETTINGS || name.length < MIN_LENGTH) return [];
    const meant = unset.find((setting) => isAtMostOneEdit(name.toUpperCase(), setting));
    return meant === undefined ? [] : [{ setting: name, text: `expected a setting: did you mean ${meant}?` }];
  });
}

/** Whether at most one insertion, deletion, substitution or transposition of neighbours makes one text the other. */
function isAtMostOneEdit(one: string, other: string): boolean {
  const shortest = Math.min(one.length, other.length);
  let start = 0;
  while (start < shortest && one[start] === other[start]) start++;
  let end = 0;
  while (end < shortest - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const left = one.slice(start, one.length - end);
  const right = other.slice(start, other.length - end);
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left === `${right[1]}${right[0]}`;
}
