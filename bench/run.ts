import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { leaveServerCore } from './cores.ts';
import type { Effort } from './measure.ts';
import { type Outcome, toGoalTable, toTable } from './report.ts';
import { fresh } from './scenarios/fresh.ts';
import type { Scenario } from './scenarios/scenario.ts';

const SCENARIOS: Readonly<Record<string, Scenario>> = { new: fresh };
const FULL: Effort = { rounds: 5, seconds: 3, warmUpSeconds: 1, operations: 100_000 };
const QUICK: Effort = { rounds: 3, seconds: 1, warmUpSeconds: 1, operations: 20_000 };

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' } },
  allowPositionals: true,
});
leaveServerCore();
const folder = await mkdtemp(path.join(tmpdir(), 'trending-bench-'));
const outcomes: Outcome[] = [];
try {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const outcome = await scenario(values.quick ? QUICK : FULL, folder);
    process.stdout.write(`\n${name}\n${toTable(outcome)}\n`);
    outcomes.push(outcome);
  }
  process.stdout.write(`\n${toGoalTable(outcomes)}\n`);
} finally {
  await rm(folder, { recursive: true });
}
