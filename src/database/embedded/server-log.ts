import { open, type FileHandle } from 'node:fs/promises';
import { statfs } from 'node:fs/promises';

const LARGEST_BYTES = 1024 * 1024;
const TAIL_BYTES = 16 * 1024;

/** The server's log file, opened for appending. A file over 1 MiB is emptied first. */
export async function openServerLog(file: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(file, 'a', 0o600);
  const { size } = await handle.stat();
  if (size <= LARGEST_BYTES) return { handle, size };
  await handle.truncate(0);
  return { handle, size: 0 };
}

/** The last complaint that the server wrote after `from` bytes; empty if there is none. */
export async function lastComplaint(file: string, from: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean);
    const worst =
      lines.findLast((line) => /\b(?:FATAL|PANIC):/.test(line)) ?? lines.findLast(isOutsideLog) ?? '';
    return worst.replace(/^.*?\b(?:FATAL|PANIC):\s*/, '').trim();
  } finally {
    await handle.close();
  }
}

function isOutsideLog(line: string): boolean {
  return !/\b(?:LOG|HINT|DETAIL|CONTEXT):/.test(line);
}

/** Whether less than 1 MiB is free. A server without room for its log cannot report the full disk. */
export async function isDiskFull(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => null);
  return found !== null && found.bavail * found.bsize < LARGEST_BYTES;
}
