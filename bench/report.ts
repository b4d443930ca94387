import { median, ratiosOf } from './measure.ts';
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
  /** The name of the row that all are compared with; by default this product. */
  readonly reference?: string;
  /** Headings of the additional columns. */
  readonly more: readonly string[];
  readonly goals: readonly Goal[];
}

/** One line of a scenario's table. */
export interface Row {
  readonly name: string;
  /** One figure per round: figures of the same round are compared with each other. */
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

/** The figure of `reference` divided by that of another row: the median of the rounds' quotients. */
export function ratioTo(rows: readonly Row[], name: string, reference = OURS): number {
  return median(roundRatios(rows, name, reference));
}

function roundRatios(rows: readonly Row[], name: string, reference: string): readonly number[] {
  const valuesOf = (wanted: string): readonly number[] =>
    rows.find((row) => row.name === wanted)?.values ?? [];
  return ratiosOf(valuesOf(reference), valuesOf(name));
}

/** A goal for the ratio of this product to another row. */
export function ratioGoal(text: string, ratio: number, bound: { least: number } | { most: number }): Goal {
  const isMet = 'least' in bound ? ratio >= bound.least : ratio <= bound.most;
  return { text, found: ratio.toFixed(2), isMet };
}

/** A scenario's table with all its columns. */
export function toTable(outcome: Outcome): string {
  const { unit, reference, more } = outcome;
  const headings = ['', unit, 'least to most', `${reference ?? 'ours'} / this`, 'least to most', ...more];
  const lines = sortRows(outcome).map((row) => [...toCells(row, outcome), ...row.more]);
  return alignTable(headings, lines);
}

/** All scenarios in one table. */
export function toSummary(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((outcome) =>
    sortRows(outcome).map((row) => {
      const [name = '', ...cells] = toCells(row, outcome);
      return [outcome.name, name, outcome.unit, ...cells];
    }),
  );
  return alignTable(
    ['scenario', 'server', 'unit', 'median', 'least to most', 'ours / this', 'least to most'],
    lines,
  );
}

/** The best row first. */
function sortRows({ rows, better }: Outcome): readonly Row[] {
  return rows.toSorted((a, b) => (median(b.values) - median(a.values)) * (better === 'more' ? 1 : -1));
}

function toCells({ name, values }: Row, { rows, reference = OURS }: Outcome): string[] {
  const ratios = roundRatios(rows, name, reference);
  return [name, format(median(values)), toRange(values), format(median(ratios)), toRange(ratios)];
}

/** The least and the greatest value; empty for a single one. */
function toRange(values: readonly number[]): string {
  if (values.length < 2) return '';
  return `${format(Math.min(...values))} to ${format(Math.max(...values))}`;
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
