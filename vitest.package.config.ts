import { defineConfig } from 'vitest/config';
import { guardSource } from './test/support/guard-source.js';

export default defineConfig({
  resolve: { alias: guardSource() },
  test: {
    include: ['test/package/**/*.spec.ts'],
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
