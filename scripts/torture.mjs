// npm run torture -- --minutes 10 --seed 7: the history checker for as long as you like, with a schedule that can be repeated.
// npm run torture -- --validations 1000000 --workers 64: until so many have been answered.
// npm run torture -- --guards --validations 1000000: the same of guards that check JWTs alone.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '12' },
    validations: { type: 'string' },
    guards: { type: 'boolean', default: false },
  },
});
const { guards, ...numbers } = values;
// with a number of validations to reach, time is only the limit
numbers.minutes ??= numbers.validations === undefined ? '10' : '60';
for (const [name, text] of Object.entries(numbers))
  if (!(Number(text) > 0)) {
    process.stderr.write(`--${name} must be a number above 0\n`);
    process.exit(2);
  }

const [file, test] = guards
  ? ['test/history/guards.e2e-spec.ts', 'accept nothing that was revoked']
  : ['test/history/history.e2e-spec.ts', 'breaks no promise'];
const { status } = spawnSync('npx', ['vitest', 'run', file, '-t', test], {
  stdio: 'inherit',
  env: {
    ...process.env,
    TORTURE_MINUTES: numbers.minutes,
    TORTURE_SEED: numbers.seed,
    TORTURE_WORKERS: numbers.workers,
    ...(numbers.validations && { TORTURE_VALIDATIONS: numbers.validations }),
  },
});
process.exit(status ?? 1);
