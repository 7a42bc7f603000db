import { defineConfig } from 'vitest/config';
import { guardSource } from './test/support/guard-source.js';

/** On real parts of other people's: PgBouncer, a second PostgreSQL. A test says which program it lacks, and is skipped. */
export default defineConfig({
  resolve: { alias: guardSource() },
  test: {
    include: ['test/deploy/**/*.e2e-spec.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: ['test/support/setup.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
