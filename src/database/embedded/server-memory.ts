import { totalmem } from 'node:os';

const MIB = 2 ** 20;
const LEAST = 128;
const MOST = 2_048;

/** Bytes that this process and its children may use: the machine's, or what a container was given. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * PostgreSQL's own cache in MiB: an eighth of the memory, and never less than its default of 128. It is taken page by page as
 * tables grow into it. What it does not hold is read through the system's cache, which costs a system call a page: with
 * 10,000,000 tokens in the table that is most of a look-up.
 */
export function sharedBuffers(memory: number): number {
  return Math.floor(Math.min(MOST, Math.max(LEAST, memory / 8 / MIB)));
}
