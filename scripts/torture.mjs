// npm run torture -- --minutes 10 --seed 7: the history checker for as long as you like, with a schedule that can be repeated.
// npm run torture -- --validations 1000000 --workers 64: until so many have been answered.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '12' },
    validations: { type: 'string' },
  },
});
// with a number of validations to reach, time is only the limit
values.minutes ??= values.validations === undefined ? '10' : '60';
for (const [name, text] of Object.entries(values))
  if (!(Number(text) > 0)) {
    process.stderr.write(`--${name} must be a number above 0\n`);
    process.exit(2);
  }

const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/history/history.e2e-spec.ts', '-t', 'breaks no promise'],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TORTURE_MINUTES: values.minutes,
      TORTURE_SEED: values.seed,
      TORTURE_WORKERS: values.workers,
      ...(values.validations && { TORTURE_VALIDATIONS: values.validations }),
    },
  },
);
process.exit(status ?? 1);
