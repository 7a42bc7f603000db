// One at a time, also of several processes: whoever comes second waits, and then finds nothing to do.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const STALE_MS = 120_000;

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function acquire(lock) {
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      const file = openSync(lock, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    try {
      const holder = Number(readFileSync(lock, 'utf8'));
      const age = Date.now() - statSync(lock).mtimeMs;
      if ((holder > 0 && !isAlive(holder)) || age > STALE_MS) rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    sleep(50);
  }
}

/** @param root the project's folder @param name the lock's file, without its ending */
export async function alone(root, name, work) {
  const lock = join(root, 'node_modules', '.cache', 'keks', `${name}.lock`);
  acquire(lock);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}
