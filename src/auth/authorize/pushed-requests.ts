import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Clock, timestamp } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { WireError } from '../../http/errors/wire-error.js';
import { networkOf } from '../../http/network.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { digestOf } from '../tokens/token-format.js';
import * as sql from './pushed-requests.sql.js';

/** Seconds. RFC 9126 §2.2: long enough to send a browser here. */
export const PUSHED_SECONDS = 90;
/** RFC 9126 §2.2, in the namespace of RFC 6755. */
const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const REFERENCE = /^[A-Za-z0-9_-]{43}$/;
const TRY_AGAIN = { 'Retry-After': '60' };

/** A pushed request with which a browser has come. */
export interface OpenedRequest {
  readonly digest: Buffer;
  /** The pushed parameters, and no others (RFC 9101 §6.3). */
  readonly query: string;
}

/** Owns pushed requests: each belongs to one client, and is answered once. */
@Injectable()
export class PushedRequests {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @param query without secrets @returns the request_uri @throws WireError too_many_requests; Unavailable */
  async push(client: AuthenticatedClient, query: string, ip: string | null): Promise<string> {
    const reference = randomBytes(32).toString('base64url');
    const rows = await this.database.run(sql.PUSH_REQUEST, [
      ...[digestOf(reference), new Date(this.clock.now()), client.clientId, networkOf(ip ?? '')],
      ...[query, timestamp(this.clock.seconds() + PUSHED_SECONDS), client.isPublic],
    ]);
    if (rows.length === 0) throw new WireError('too_many_requests', TRY_AGAIN, { reason: 'too_many_pushed' });
    return PREFIX + reference;
  }

  /** @returns undefined if this client has no such request, or if the request has expired or was answered */
  async open(clientId: string, requestUri: string): Promise<OpenedRequest | undefined> {
    const reference = requestUri.slice(PREFIX.length);
    if (!REFERENCE.test(reference)) return undefined;
    const digest = digestOf(reference);
    const values = [digest, clientId, new Date(this.clock.now())];
    const [row] = await this.database.run<{ parameters: string }>(sql.OPEN_PUSHED, values);
    return row && { digest, query: row.parameters };
  }

  /** Marks the request as answered without a code. */
  async spend(digest: Buffer): Promise<void> {
    await this.database.run(sql.SPEND_PUSHED, [digest, new Date(this.clock.now())]);
  }
}

/** Whether the text names a pushed request. Any other text would be an address to fetch a request from. */
export function isPushed(requestUri: string | undefined): requestUri is string {
  return requestUri?.startsWith(PREFIX) === true;
}
