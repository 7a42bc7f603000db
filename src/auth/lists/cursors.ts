import { Inject, Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../../config/config.js';
import { WireError } from '../../http/errors/wire-error.js';
import { derivedKey } from '../secrets/derived-key.js';
import type { List, PageQuery } from './list.schemas.js';
import { acceptedSecrets, type SecretKeysConfig } from '../secrets/secret-keys.js';

/** The place of a row in a list: the values that the list is sorted by, as PostgreSQL writes them. */
export type Position = readonly string[];

export interface Positioned {
  readonly position: Position;
}

/** Before the first row of a list that is sorted by time and id, newest first. */
export const NEWEST: Position = ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];

/** A part of a list. */
export interface Part<R> {
  readonly rows: readonly R[];
  /** The position after which the next part begins; undefined at the end of the list. */
  readonly rest: Position | undefined;
}

const MAC_BYTES = 16;
/** Characters. No cursor that we write is longer. */
const LONGEST = 8_192;

/**
 * Owns how lists are cut into pages; never what is in them. A cursor is the position of the last row that was read, so
 * rows that come or go meanwhile neither repeat nor hide other rows. It carries a MAC over its list and position, so
 * nobody can forge a cursor, or use a cursor for another list.
 */
@Injectable()
export class Cursors {
  private readonly keys: readonly Buffer[];

  constructor(@Inject(CONFIG) config: SecretKeysConfig) {
    this.keys = acceptedSecrets(config).map((secret) => derivedKey(secret, 'cursor'));
  }

  /**
   * @param list the list's name, its owner and its filters
   * @param read reads the rows after a position, `count` at most
   * @throws WireError invalid_request for a cursor that was not made for this list
   */
  page<R extends Positioned, T>(
    list: readonly string[],
    query: PageQuery,
    read: (after: Position | undefined, count: number) => Promise<readonly R[]>,
    toItem: (row: R) => T,
  ): Promise<List<T>> {
    const part = async (after: Position | undefined, limit: number): Promise<Part<R>> => {
      const found = await read(after, limit + 1);
      const rows = found.slice(0, limit);
      return { rows, rest: found.length > limit ? rows.at(-1)?.position : undefined };
    };
    return this.part(list, query, part, toItem);
  }

  /** Like `page`, for a list whose pages may be short: `read` says where it stopped. */
  async part<R, T>(
    list: readonly string[],
    { cursor, limit }: PageQuery,
    read: (after: Position | undefined, limit: number) => Promise<Part<R>>,
    toItem: (row: R) => T,
  ): Promise<List<T>> {
    const after = cursor === undefined ? undefined : this.read(list, cursor);
    const { rows, rest } = await read(after, limit);
    return { items: rows.map(toItem), next: rest ? this.write(list, rest) : null };
  }

  write(list: readonly string[], position: Position): string {
    const text = Buffer.from(JSON.stringify(position));
    return Buffer.concat([mac(this.keys[0], list, text), text]).toString('base64url');
  }

  /** @throws WireError invalid_request */
  read(list: readonly string[], cursor: string): Position {
    const bytes = Buffer.from(cursor.length <= LONGEST ? cursor : '', 'base64url');
    const [signature, text] = [bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES)];
    const genuine =
      signature.length === MAC_BYTES &&
      bytes.toString('base64url') === cursor &&
      this.keys.some((key) => timingSafeEqual(mac(key, list, text), signature));
    if (!genuine) throw WireError.because('bad_cursor', 'cursor');
    return JSON.parse(text.toString()) as Position;
  }
}

function mac(key: Buffer | undefined, list: readonly string[], text: Buffer): Buffer {
  const name = JSON.stringify(list);
  return createHmac('sha256', key ?? '')
    .update(`${name.length}:${name}`)
    .update(text)
    .digest()
    .subarray(0, MAC_BYTES);
}
