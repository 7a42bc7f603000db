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
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
