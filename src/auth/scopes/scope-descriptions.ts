import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import { audit } from '../audit/audit-event.js';
import type { Initiator } from '../audit/actor.js';
import { KNOWN_SCOPES, type KnownScopeRow } from './known-scopes.sql.js';
import { ScopeDescription } from './scope-description.entity.js';

/** Owns what scopes mean in words; never who may have one. */
@Injectable()
export class ScopeDescriptions {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectRepository(ScopeDescription) private readonly descriptions: Repository<ScopeDescription>,
  ) {}

  /** Sorted by scope. */
  list(): Promise<ScopeDescription[]> {
    return this.descriptions.find({ order: { scope: 'ASC' } });
  }

  /** All scopes in use, with or without a description. @param served the scopes that routes of this process ask for */
  known(served: readonly string[]): Promise<KnownScopeRow[]> {
    return this.database.run<KnownScopeRow>(KNOWN_SCOPES, [served]);
  }

  /** The descriptions of these scopes, as far as they have one. */
  async of(scopes: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.descriptions.findBy({ scope: In([...scopes]) });
    return new Map(found.map(({ scope, description }) => [scope, description]));
  }

  async describe(scope: string, description: string, by: Initiator): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await transaction.entities.upsert(ScopeDescription, { scope, description }, ['scope']);
      const event = { type: 'scope.described', ...by, detail: { scope, description } };
      await audit(transaction, this.clock, event);
    });
  }

  /** @returns false if the scope had no description */
  async forget(scope: string, by: Initiator): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      const { affected } = await transaction.entities.delete(ScopeDescription, { scope });
      if (!affected) return false;
      const event = { type: 'scope.forgotten', ...by, detail: { scope } };
      await audit(transaction, this.clock, event);
      return true;
    });
  }
}
