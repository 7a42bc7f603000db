import { totalmem } from 'node:os';

const MIB = 2 ** 20;
const LEAST = 128;
const MOST = 2_048;

/** Bytes that this process and its children may use: the memory of the machine, or the limit of the container. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * PostgreSQL's own cache in MiB: an eighth of the memory, at least its default of 128 and at most 2,048. PostgreSQL
 * takes the memory page by page as tables grow. A page that is not in this cache comes from the system's cache, which
 * costs one system call per page: with 10,000,000 tokens in the table that is most of the time of a look-up.
 */
export function sharedBuffers(memory: number): number {
  return Math.floor(Math.min(MOST, Math.max(LEAST, memory / 8 / MIB)));
}
