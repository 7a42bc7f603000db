// npm run torture -- --minutes 10 --seed 7: the history checker for as long as you like, with a schedule that can be repeated.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
for (const [name, text] of Object.entries(values))
  if (!(Number(text) > 0)) {
    process.stderr.write(`--${name} must be a number above 0\n`);
    process.exit(2);
  }

const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/history.e2e-spec.ts', '-t', 'breaks no promise'],
  {
    stdio: 'inherit',
    env: { ...process.env, TORTURE_MINUTES: values.minutes, TORTURE_SEED: values.seed },
  },
);
process.exit(status ?? 1);
