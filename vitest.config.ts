import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { guardSource } from './test/support/guard-source.js';

/**
 * What these measure is taken from everybody by whoever runs beside them. They come last and alone; everything else is about
 * what is done, with limits of time far away.
 */
const LIMITS = [
  'test/faults/outages.e2e-spec.ts',
  'test/faults/starved.e2e-spec.ts',
  'test/faults/load.e2e-spec.ts',
  'test/faults/event-loop.e2e-spec.ts',
];

/** Most of what these cost is servers, commands and databases that they start, kill and replace (decision 0055). */
const PROCESSES = [
  'test/auth/key-rotation.e2e-spec.ts',
  'test/database/embedded.e2e-spec.ts',
  'test/database/partition-upkeep.e2e-spec.ts',
  'test/database/session-settings.e2e-spec.ts',
  'test/faults/races.e2e-spec.ts',
  'test/history/guards.e2e-spec.ts',
  'test/history/history.e2e-spec.ts',
  'test/project/first-build.spec.ts',
  'test/project/production-build.spec.ts',
  'test/project/readme.e2e-spec.ts',
  'test/server/listen-while-migrating.e2e-spec.ts',
  'test/server/restart.e2e-spec.ts',
  'test/server/workers.e2e-spec.ts',
];

/**
 * On a fresh clone nobody knows yet how long a file takes, and one that is long and comes last is waited for. What mostly
 * waits (feed, keep-alive, exact-revocations) begins beside what works.
 */
const LONG = [
  ...[
    'history',
    'key-rotation',
    'restart',
    'guards',
    'readme',
    'embedded',
    'first-build',
    'workers',
    'races',
    'partition-upkeep',
    'session-settings',
    'listen-while-migrating',
  ],
  ...['feed', 'cli', 'cli-login', 'migrations', 'keep-alive', 'throttle', 'exact-revocations'],
  ...['validators', 'moved-rows', 'credentials', 'metrics', 'openapi-fuzz', 'fair-logins'],
  ...['signing-keys', 'owner-endings', 'new-passwords', 'password', 'cli-operator', 'judged-settings'],
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => new RegExp(`/${name}\\.(e2e-)?spec\\.ts$`).test(moduleId));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

/** Two more than our two cores: a file waits for half of its time, some for nearly all of it. */
const WORKERS = 4;

const SHARED = {
  setupFiles: ['test/support/setup.ts'],
  // files that follow one another in a process load the program once; passport keeps its strategies in one registry a
  // process, where each file's app, the only one of its time, takes the place of the one before
  pool: 'forks' as const,
  isolate: false,
  testTimeout: 300_000,
  hookTimeout: 300_000,
  // how long something may take to come is no promise, unless a test says so
  expect: { poll: { timeout: 90_000 } },
} satisfies NonNullable<UserWorkspaceConfig['test']>;

export default defineConfig({
  // for the global set-up; projects do not inherit it
  resolve: { alias: guardSource() },
  test: {
    // of the run, not of a project: one PostgreSQL for all
    globalSetup: 'test/support/global-setup.ts',
    retry: 0,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        resolve: { alias: guardSource() },
        test: {
          ...SHARED,
          name: 'behaviour',
          include: ['test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
          exclude: [
            ...['test/browser/**', 'test/package/**', 'test/deploy/**', 'test/clients/**'],
            ...[...PROCESSES, ...LIMITS],
          ],
          maxWorkers: WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias: guardSource() },
        test: {
          ...SHARED,
          name: 'processes',
          include: PROCESSES,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: { alias: guardSource() },
        test: {
          ...SHARED,
          name: 'limits',
          include: LIMITS,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
