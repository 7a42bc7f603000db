import { defineConfig } from 'vitest/config';
import { guardSource } from './test/support/guard-source.js';

export default defineConfig({
  resolve: { alias: guardSource() },
  test: {
    include: ['test/browser/**/*.spec.ts'],
    globalSetup: 'test/browser/support/global-setup.ts',
    setupFiles: ['test/support/setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // far away: no test here is about a time, and the machine may be busy
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
