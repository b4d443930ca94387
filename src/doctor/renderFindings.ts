import type { Finding } from './finding.ts';

const STATE_WIDTH = 'skipped'.length;

/** Renders the findings as a table, each with its advice below it, and a summary as the last line. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const toRow = (part: string, state: string, text: string): string =>
    `${part.padEnd(width)}  ${state.padEnd(STATE_WIDTH)}  ${text}`;
  const rows = findings.flatMap(({ part, state, found, advice }) => [
    toRow(part, state, found),
    ...(advice === undefined ? [] : [toRow('', '', `-> ${advice}`)]),
  ]);
  return `${[toRow('Part', 'State', 'Found'), ...rows, '', summarize(findings)].join('\n')}\n`;
}

/** Whether anything must be fixed before the server can work. */
export function needsFixing(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'fix');
}

function summarize(findings: readonly Finding[]): string {
  const parts = findings.filter(({ state }) => state === 'fix').map(({ part }) => part);
  return parts.length === 0 ? 'Nothing needs fixing.' : `To fix: ${parts.join(', ')}.`;
}
