import { afterAll, afterEach, beforeEach } from 'vitest';
import { beginFile, beginTest, refuse500s, testimony } from './watch.js';

/** Runs before each file: see watch.ts. */

beginFile();

beforeEach(({ task, onTestFailed }) => {
  beginTest();
  onTestFailed(() => {
    const [error] = task.result?.errors ?? [];
    if (error) error.message += `\n${testimony()}`;
  });
});

afterEach(refuse500s);
afterAll(refuse500s);
