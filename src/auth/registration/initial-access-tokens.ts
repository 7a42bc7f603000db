import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { createHash, randomBytes } from 'node:crypto';
import { MoreThan, Repository } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Queries, Statement } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import { audit } from '../audit/audit-event.js';
import { NEWEST, type Position, type Positioned } from '../lists/cursors.js';
import { newestFirst } from '../lists/newest-first.js';
import { InitialAccessToken } from './initial-access-token.entity.js';

export const INITIAL_TOKEN_TTL = 7 * 86_400;
export const INITIAL_TOKEN_TTL_MOST = 365 * 86_400;
export const INITIAL_TOKEN_USES_MOST = 10_000;

const FORM = /^kri_[A-Za-z0-9_-]{43}$/;

/** Written by hand, because it returns the token's id. Of many uses at once, as many succeed as are left. */
const USE: Statement = {
  name: 'use_initial_access_token',
  text: `
    UPDATE initial_access_tokens SET uses_left = uses_left - 1
     WHERE digest = $1 AND uses_left > 0 AND expires_at > $2
    RETURNING id`,
};

export interface NewInitialToken {
  readonly label: string;
  readonly uses: number;
  readonly expiresIn: number;
}

/** Owns the tokens with which somebody may register clients (RFC 7591 §1.2); never the clients. */
@Injectable()
export class InitialAccessTokens {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectRepository(InitialAccessToken) private readonly tokens: Repository<InitialAccessToken>,
  ) {}

  /** @returns the token in clear, once */
  async make(
    { label, uses, expiresIn }: NewInitialToken,
    by: Initiator,
  ): Promise<InitialAccessToken & { readonly token: string }> {
    const token = `kri_${randomBytes(32).toString('base64url')}`;
    const expiresAt = new Date(this.clock.now() + expiresIn * 1_000);
    return this.database.transaction(async (transaction) => {
      const made = transaction.entities.create(InitialAccessToken, {
        ...{ label, expiresAt, usesLeft: uses, digest: digestOf(token) },
      });
      await transaction.entities.insert(InitialAccessToken, made);
      const detail = { id: made.id, label, uses, expires_at: expiresAt };
      await audit(transaction, this.clock, { type: 'initial_token.added', ...by, detail });
      return Object.assign(made, { token });
    });
  }

  /** Newest first. */
  page(after: Position = NEWEST, count: number): Promise<(InitialAccessToken & Positioned)[]> {
    return newestFirst(this.tokens, after, count);
  }

  /** Newest first. */
  list(): Promise<InitialAccessToken[]> {
    return this.tokens.find({ order: { createdAt: 'DESC', id: 'DESC' } });
  }

  /** Clients that were registered with the token stay. @returns false if there is no such token */
  async revoke(id: string, by: Initiator): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const { affected } = await transaction.entities.delete(InitialAccessToken, { id });
      if (!affected) return false;
      await audit(transaction, this.clock, { type: 'initial_token.revoked', ...by, detail: { id } });
      return true;
    });
  }

  async isGood(token: string): Promise<boolean> {
    if (!FORM.test(token)) return false;
    const now = new Date(this.clock.now());
    return this.tokens.existsBy({ digest: digestOf(token), usesLeft: MoreThan(0), expiresAt: MoreThan(now) });
  }

  /**
   * Takes one use, in the transaction of the registration.
   * @returns the token's id; undefined if it is no longer good
   */
  async use(token: string, queries: Queries): Promise<string | undefined> {
    const values = [digestOf(token), new Date(this.clock.now())];
    const [row] = await queries.run<{ id: string }>(USE, values);
    return row?.id;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
