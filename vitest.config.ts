import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
    exclude: ['test/browser/**', 'test/package/**'],
    globalSetup: 'test/support/global-setup.ts',
    // files that follow one another in a process load the program once; passport keeps its strategies in one registry a
    // process, where each file's app, the only one of its time, takes the place of the one before
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    // where others use the machine too, a 503 is an honest answer; it is no reason to stop everything
    retry: process.env.CI ? 2 : 0,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
