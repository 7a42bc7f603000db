import { defineConfig } from 'vitest/config';
import { guardSource } from './test/support/guard-source.js';

/** Clients that other people's generators make of our document. Not in the gate: it fetches the generators, once. */
export default defineConfig({
  resolve: { alias: guardSource() },
  test: {
    include: ['test/clients/**/*.e2e-spec.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: ['test/support/setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
