import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Queries } from '../../database/statement.js';
import type { Initiator } from '../audit/actor.js';
import { audit } from '../audit/audit-event.js';
import { receiverFlaw, type NewReceiver, type ReceiverFlaw } from './new-receiver.js';
import { Receiver } from './receiver.entity.js';
import { ReceiverRules } from './receiver-rules.js';
import * as sql from './receivers.sql.js';
import { SealedAuthorizations } from './sealed-authorizations.js';

/** Each receiver costs one request for each event. */
export const RECEIVERS_MOST = 10;

/** Owns the list of receivers; never the sending of events. */
@Injectable()
export class Receivers {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly rules: ReceiverRules,
    private readonly sealed: SealedAuthorizations,
  ) {}

  /** Adds a receiver. It is told of events from now on, not of earlier ones. */
  async add(
    given: NewReceiver,
    by: Initiator,
  ): Promise<{ readonly added: sql.ReceiverRow } | { readonly flaw: ReceiverFlaw }> {
    const flaw = receiverFlaw(given, this.rules);
    if (flaw) return { flaw };
    const { name, url, audience = url, events, authorization } = given;
    const id = randomUUID();
    const done = await this.database.transaction(async (transaction) => {
      await transaction.run(sql.LOCK_RECEIVERS);
      const there = await transaction.entities.find(Receiver, { select: { id: true, name: true } });
      if (there.some((one) => one.name === name)) return 'name_taken' as const;
      if (there.length >= RECEIVERS_MOST) return 'too_many' as const;
      await transaction.entities.insert(Receiver, {
        ...{ id, name, url, audience, events: events ? [...events] : null },
        sealedAuthorization: authorization === undefined ? null : this.sealed.seal(id, authorization),
      });
      const detail = { receiver: name, at: new URL(url).origin, audience, events: events ?? null };
      await this.audit(transaction, 'receiver.added', by, detail);
      // read in here: afterwards somebody else may have removed it
      const [added] = among(await transaction.run<sql.ReceiverRow>(sql.LIST_RECEIVERS), id);
      if (!added) throw new Error('a receiver that was added is not there');
      return added;
    });
    return typeof done === 'string' ? { flaw: done } : { added: done };
  }

  /** Sorted by name. */
  list(): Promise<sql.ReceiverRow[]> {
    return this.database.run<sql.ReceiverRow>(sql.LIST_RECEIVERS);
  }

  /** Finds a receiver by its id or name. */
  async find(which: string): Promise<sql.ReceiverRow | undefined> {
    return among(await this.list(), which)[0];
  }

  /** Removes a receiver and its undelivered events. @returns false if there is no such receiver */
  async remove(id: string, by: Initiator): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const receiver = await transaction.entities.findOneBy(Receiver, { id });
      const { affected } = await transaction.entities.delete(Receiver, { id });
      if (!affected || !receiver) return false;
      await this.audit(transaction, 'receiver.removed', by, { receiver: receiver.name });
      return true;
    });
  }

  /**
   * Queues a verification event, which reports nothing (SSF 1.0 §8.1.4). The servers send it first, like other events.
   * @returns false if there is no such receiver
   */
  async verify(id: string, by: Initiator): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const receiver = await transaction.entities.findOneBy(Receiver, { id });
      const values = [id, new Date(this.clock.now()), randomUUID()];
      const queued = await transaction.run(sql.QUEUE_VERIFICATION, values);
      if (!receiver || queued.length === 0) return false;
      await this.audit(transaction, 'receiver.tested', by, { receiver: receiver.name });
      return true;
    });
  }

  private async audit(queries: Queries, type: string, by: Initiator, detail: object): Promise<void> {
    await audit(queries, this.clock, { type, ...by, detail });
  }
}

function among(rows: readonly sql.ReceiverRow[], which: string): sql.ReceiverRow[] {
  return rows.filter(({ id, name }) => id === which || name === which);
}
