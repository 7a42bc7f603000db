import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
    exclude: ['test/browser/**', 'test/package/**'],
    globalSetup: 'test/support/global-setup.ts',
    // passport keeps its strategies in one registry a process: a file is a process, and has one app
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    // where others use the machine too, a 503 is an honest answer; it is no reason to stop everything
    retry: process.env.CI ? 2 : 0,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
