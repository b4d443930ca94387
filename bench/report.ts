import { median } from './measure.ts';
import { OURS } from './servers.ts';

/** What one scenario found. */
export interface Outcome {
  readonly name: string;
  /** What was done, in a sentence or two. */
  readonly what: string;
  /** Of the figures: `requests/s`, `ms`. */
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly rows: readonly Row[];
  /** Heads of the rows' further columns. */
  readonly more: readonly string[];
  readonly goals: readonly Goal[];
}

/** One line of a scenario's table. */
export interface Row {
  readonly name: string;
  /** One figure a round. */
  readonly values: readonly number[];
  readonly more: readonly string[];
}

/** What this product wants to be. */
export interface Goal {
  readonly text: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** A figure with as many digits as mean anything: thousands parted by commas. */
export function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median of a row's figures. */
export function figure(rows: readonly Row[], name: string): number {
  return median(rows.find((row) => row.name === name)?.values ?? []);
}

/** This product's figure over that of another row. */
export function ratioTo(rows: readonly Row[], name: string): number {
  return figure(rows, OURS) / figure(rows, name);
}

/** A goal on the ratio of this product to another row. */
export function ratioGoal(text: string, ratio: number, bound: { least: number } | { most: number }): Goal {
  const isMet = 'least' in bound ? ratio >= bound.least : ratio <= bound.most;
  return { text, found: ratio.toFixed(2), isMet };
}

/** A scenario's table with all its columns. */
export function toTable(outcome: Outcome): string {
  const head = ['', outcome.unit, 'least to most', 'ours / this', ...outcome.more];
  const lines = sortRows(outcome).map((row) => [...toCells(row, outcome.rows), ...row.more]);
  return alignTable(head, lines);
}

/** All scenarios in one table. */
export function toSummary(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((outcome) =>
    sortRows(outcome).map((row) => {
      const [name = '', ...cells] = toCells(row, outcome.rows);
      return [outcome.name, name, outcome.unit, ...cells];
    }),
  );
  return alignTable(['scenario', 'server', 'unit', 'median', 'least to most', 'ours / this'], lines);
}

/** The best one first. */
function sortRows({ rows, better }: Outcome): readonly Row[] {
  return rows.toSorted((a, b) => (median(b.values) - median(a.values)) * (better === 'more' ? 1 : -1));
}

function toCells({ name, values }: Row, rows: readonly Row[]): string[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return [
    name,
    format(median(values)),
    values.length > 1 ? `${format(least)} to ${format(most)}` : '',
    ratioTo(rows, name).toFixed(2),
  ];
}

/** The goals, and whether they are met. */
export function toGoalTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ name, goals }) =>
    goals.map(({ text, found, isMet }) => [name, text, found, isMet ? 'met' : '**not met**']),
  );
  return alignTable(['scenario', 'goal', 'found', ''], lines);
}

/** A Markdown table whose columns line up: the first one to the left, figures to the right. */
export function alignTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const isFigures = head.map(
    (_, column) => column > 0 && lines.every((line) => /^[-\d.,%]*( to |$)/.test(line[column] ?? '')),
  );
  const pad = (text: string, column: number): string =>
    isFigures[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  const toLine = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isFigures[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2),
  );
  return [toLine(head), `|${rule.join('|')}|`, ...lines.map(toLine)].join('\n');
}
