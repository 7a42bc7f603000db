/**
 * Arrays in PostgreSQL's binary format (array_recv), which `pg` passes on unchanged. As text, each digest would be
 * written in hexadecimal, and each time as a calendar date in this machine's zone, and the server would have to parse
 * both.
 */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const BYTEA = { oid: 17, bytes: 32 };
const TIMESTAMPTZ = { oid: 1184, bytes: 8 };
const TEXT_OID = 25;
const NULL = -1;
/** 2000-01-01 in seconds since the Unix epoch: from there PostgreSQL counts microseconds. */
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
  times.forEach((seconds, at) => writeTime(array, seconds, place(array, TIMESTAMPTZ, at)));
  return array;
}

/**
 * One time, not an array.
 * @param ms milliseconds since the epoch; fractions of a millisecond are dropped, as in a Date
 */
export function timestamptz(ms: number): Buffer {
  const time = Buffer.alloc(TIMESTAMPTZ.bytes);
  writeTime(time, Math.floor(ms) / 1_000, 0);
  return time;
}

/** An array of texts in UTF-8. A null becomes NULL. */
export function textArray(texts: readonly (string | null)[]): Buffer {
  const bytes = texts.map((text) => (text === null ? null : Buffer.from(text)));
  const array = Buffer.alloc(
    HEADER_BYTES + bytes.reduce((sum, text) => sum + LENGTH_BYTES + (text?.length ?? 0), 0),
  );
  header(array, TEXT_OID, texts.length, bytes.includes(null));
  let at = HEADER_BYTES;
  for (const text of bytes) {
    at = array.writeInt32BE(text?.length ?? NULL, at);
    if (text) at += text.copy(array, at);
  }
  return array;
}

interface Element {
  readonly oid: number;
  readonly bytes: number;
}

/** An empty array for elements of one length, none of them null. */
function allocate({ oid, bytes }: Element, length: number): Buffer {
  const array = Buffer.alloc(HEADER_BYTES + length * (LENGTH_BYTES + bytes));
  header(array, oid, length, false);
  return array;
}

/** Writes the number of dimensions, whether there are nulls, the type, the length and the first index. */
function header(array: Buffer, oid: number, length: number, nulls: boolean): void {
  array.writeInt32BE(1, 0);
  array.writeInt32BE(nulls ? 1 : 0, 4);
  array.writeInt32BE(oid, 8);
  array.writeInt32BE(length, 12);
  array.writeInt32BE(1, 16);
}

function writeTime(into: Buffer, seconds: number, start: number): void {
  // BigInt would cost an allocation for each token; the product stays far below 2^53
  const microseconds = Math.round((seconds - POSTGRES_EPOCH) * 1_000_000);
  const high = Math.floor(microseconds / 2 ** 32);
  into.writeInt32BE(high, start);
  into.writeUInt32BE(microseconds - high * 2 ** 32, start + 4);
}

/** Writes the length of an element. @returns where its bytes begin */
function place(array: Buffer, { bytes }: Element, at: number): number {
  return array.writeInt32BE(bytes, HEADER_BYTES + at * (LENGTH_BYTES + bytes));
}
