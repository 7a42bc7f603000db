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

/** On a fresh clone nobody knows yet how long a file takes, and one that is long and comes last is waited for. */
const LONG = [
  'history',
  'guards',
  'restart',
  'owner-endings',
  'races',
  'key-rotation',
  'embedded',
  'cli',
  'migrations',
  'refresh',
  'workers',
  'signing-keys',
  'token-story',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((name) => moduleId.endsWith(`/${name}.e2e-spec.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((one) => !isLong(one))];
  }
}

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
    // of the run, not of a project: one PostgreSQL for both
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
          exclude: ['test/browser/**', 'test/package/**', 'test/deploy/**', ...LIMITS],
          // one more than our two cores: a third of the time of a file is waiting
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
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
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
