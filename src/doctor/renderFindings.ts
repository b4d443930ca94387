import type { Finding } from './finding.ts';

const STATE_WIDTH = 'skipped'.length;

/** The findings as a table, what to do below each, and a last line that sums up. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const toRow = (part: string, state: string, text: string): string =>
    `${part.padEnd(width)}  ${state.padEnd(STATE_WIDTH)}  ${text}`;
  const rows = findings.flatMap(({ part, state, found, advice }) => [
    toRow(part, state, found),
    ...(advice === undefined ? [] : [toRow('', '', `-> ${advice}`)]),
  ]);
  return `${[toRow('Part', 'State', 'Found'), ...rows, '', sumUp(findings)].join('\n')}\n`;
}

/** Whether something must be mended before the server can do its work. */
export function hasTrouble(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'fix');
}

function sumUp(findings: readonly Finding[]): string {
  const parts = findings.filter(({ state }) => state === 'fix').map(({ part }) => part);
  return parts.length === 0 ? 'Nothing must be mended.' : `To mend: ${parts.join(', ')}.`;
}
