import { defineConfig } from 'vitest/config';
import { guardSource } from './test/support/guard-source.js';

/** Clients that other people's generators make of our document, and other people's libraries. Not in the gate: it fetches them, once. */
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
