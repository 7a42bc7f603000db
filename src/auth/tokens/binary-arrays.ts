/**
 * Arrays in PostgreSQL's binary format (array_recv), which `pg` passes on as they are. As text, each digest would be
 * spelled in hexadecimal, and each time as a calendar date in this machine's zone, to be read back by the server.
 */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const BYTEA = { oid: 17, bytes: 32 };
const TIMESTAMPTZ = { oid: 1184, bytes: 8 };
/** 2000-01-01, from which PostgreSQL counts microseconds: seconds since the Unix epoch. */
const POSTGRES_EPOCH = 946_684_800;

/** @param digests 32 bytes each */
export function byteaArray(digests: readonly Buffer[]): Buffer {
  const array = allocate(BYTEA, digests.length);
  digests.forEach((digest, at) => digest.copy(array, place(array, BYTEA, at)));
  return array;
}

/** @param times whole seconds since the epoch */
export function timestampArray(times: readonly number[]): Buffer {
  const array = allocate(TIMESTAMPTZ, times.length);
  times.forEach((seconds, at) => {
    // BigInt would be an allocation a token; the product stays far below 2^53
    const microseconds = (seconds - POSTGRES_EPOCH) * 1_000_000;
    const start = place(array, TIMESTAMPTZ, at);
    array.writeInt32BE(Math.floor(microseconds / 2 ** 32), start);
    array.writeUInt32BE(microseconds - Math.floor(microseconds / 2 ** 32) * 2 ** 32, start + 4);
  });
  return array;
}

interface Element {
  readonly oid: number;
  readonly bytes: number;
}

/** One dimension, no nulls, from 1. */
function allocate({ oid, bytes }: Element, length: number): Buffer {
  const array = Buffer.alloc(HEADER_BYTES + length * (LENGTH_BYTES + bytes));
  array.writeInt32BE(1, 0);
  array.writeInt32BE(oid, 8);
  array.writeInt32BE(length, 12);
  array.writeInt32BE(1, 16);
  return array;
}

/** Writes the length of an element. @returns where its bytes begin */
function place(array: Buffer, { bytes }: Element, at: number): number {
  return array.writeInt32BE(bytes, HEADER_BYTES + at * (LENGTH_BYTES + bytes));
}
