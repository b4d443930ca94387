import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { composeSupergraph } from './composeSupergraph.ts';
import { leaveServerCore } from './cores.ts';
import type { Effort } from './measure.ts';
import { type Outcome, toGoalTable, toSummary, toTable } from './report.ts';
import { writeResults } from './results.ts';
import { bill } from './scenarios/bill.ts';
import { fanOut } from './scenarios/fanOut.ts';
import { fresh } from './scenarios/fresh.ts';
import { growth } from './scenarios/growth.ts';
import { memory } from './scenarios/memory.ts';
import { numbers } from './scenarios/numbers.ts';
import { outage } from './scenarios/outage.ts';
import { repeated } from './scenarios/repeated.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { start } from './scenarios/start.ts';

const SCENARIOS: ReadonlyMap<string, Scenario> = new Map([
  ['repeated', repeated],
  ['new', fresh],
  ['numbers', numbers],
  ['outage', outage],
  ['growth', growth],
  ['fan-out', fanOut],
  ['bill', bill],
  ['start', start],
  ['memory', memory],
]);
const NAMES = [...SCENARIOS.keys()];
const FULL: Effort = {
  rounds: 13,
  firstWarmUpSeconds: 5,
  tracedOperations: 10_000,
  memoryOperations: 100_000,
};
const QUICK: Effort = {
  rounds: 2,
  firstWarmUpSeconds: 3,
  tracedOperations: 1000,
  memoryOperations: 20_000,
};

const USAGE = `Usage: npm run bench -- [--quick] [${NAMES.join(' | ')}]...

Runs these scenarios, by default all of them. A run of all scenarios without --quick writes bench/RESULTS.md.
`;

/** Reads the command line; null if it is invalid. */
function readArguments(): { readonly names: readonly string[]; readonly isQuick: boolean } | null {
  try {
    const options = { quick: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (!positionals.every((name) => SCENARIOS.has(name))) return null;
    return { names: positionals.length > 0 ? positionals : NAMES, isQuick: values.quick };
  } catch {
    return null;
  }
}

async function runAll(names: readonly string[], effort: Effort): Promise<readonly Outcome[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trending-bench-'));
  const outcomes: Outcome[] = [];
  try {
    const supergraph = await composeSupergraph(folder);
    for (const [name, scenario] of SCENARIOS) {
      if (!names.includes(name)) continue;
      const startedAt = performance.now();
      const measured = await scenario(effort, { folder, supergraph });
      outcomes.push(...measured);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      const tables = measured.map((outcome) => `${outcome.name}\n${toTable(outcome)}\n\n`);
      process.stderr.write(`${name}: done in ${seconds} s\n\n${tables.join('')}`);
    }
    return outcomes;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const selection = readArguments();
if (selection === null) {
  process.stderr.write(USAGE);
  process.exitCode = 1;
} else {
  leaveServerCore();
  const outcomes = await runAll(selection.names, selection.isQuick ? QUICK : FULL);
  process.stdout.write(`\n${toSummary(outcomes)}\n\n${toGoalTable(outcomes)}\n`);
  if (!selection.isQuick && selection.names.length === NAMES.length) await writeResults(outcomes);
}
