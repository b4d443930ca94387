import { median } from './measure.ts';
import { OURS } from './servers.ts';

/** The result of one scenario. */
export interface Outcome {
  readonly name: string;
  /** A description in a sentence or two. */
  readonly what: string;
  /** The unit of the figures: `requests/s`, `ms`. */
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly rows: readonly Row[];
  /** Headings of the additional columns. */
  readonly more: readonly string[];
  readonly goals: readonly Goal[];
}

/** One line of a scenario's table. */
export interface Row {
  readonly name: string;
  /** One figure per round. */
  readonly values: readonly number[];
  readonly more: readonly string[];
}

/** A goal of this product. */
export interface Goal {
  readonly text: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** A figure with its significant digits and thousands separators. */
export function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median of a row's figures. */
export function figure(rows: readonly Row[], name: string): number {
  return median(rows.find((row) => row.name === name)?.values ?? []);
}

/** This product's figure divided by that of another row. */
export function ratioTo(rows: readonly Row[], name: string): number {
  return figure(rows, OURS) / figure(rows, name);
}

/** A goal for the ratio of this product to another row. */
export function ratioGoal(text: string, ratio: number, bound: { least: number } | { most: number }): Goal {
  const isMet = 'least' in bound ? ratio >= bound.least : ratio <= bound.most;
  return { text, found: ratio.toFixed(2), isMet };
}

/** A scenario's table with all its columns. */
export function toTable(outcome: Outcome): string {
  const headings = ['', outcome.unit, 'least to most', 'ours / this', ...outcome.more];
  const lines = sortRows(outcome).map((row) => [...toCells(row, outcome.rows), ...row.more]);
  return alignTable(headings, lines);
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

/** The best row first. */
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

/** All goals, and whether they are met. */
export function toGoalTable(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ name, goals }) =>
    goals.map(({ text, found, isMet }) => [name, text, found, isMet ? 'met' : '**not met**']),
  );
  return alignTable(['scenario', 'goal', 'found', ''], lines);
}

/** A Markdown table with aligned columns: the first one to the left, figures to the right. */
export function alignTable(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = headings.map((title, column) =>
    Math.max(3, title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const isFigureColumn = headings.map(
    (_, column) => column > 0 && lines.every((line) => /^[-\d.,%]*( to |$)/.test(line[column] ?? '')),
  );
  const pad = (text: string, column: number): string =>
    isFigureColumn[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  const toLine = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isFigureColumn[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2),
  );
  return [toLine(headings), `|${rule.join('|')}|`, ...lines.map(toLine)].join('\n');
}
