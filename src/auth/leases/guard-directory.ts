import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { READ_INSTANCES, type DescribedGuard, type InstanceRow } from './leases.sql.js';

/** A guard that held a lease when its instance described it. Its lease may be over since. Times in milliseconds. */
export interface ListedGuard {
  readonly name: string;
  readonly clientId: string;
  readonly instance: string;
  readonly leaseLeft: number;
  readonly behind: number;
  readonly awaited: number;
  readonly describedAgo: number;
}

export interface ListedInstance {
  readonly instance: string;
  readonly guards: number;
  readonly leaseTtl: number;
  readonly renewedAgo: number;
  /** Revocations that this instance has not yet confirmed for all of its guards. Counted up to 10,000. */
  readonly unconfirmed: number;
}

/** Owns the list of the guards of all instances, for people; it decides nothing. */
@Injectable()
export class GuardDirectory {
  constructor(private readonly database: Database) {}

  /** @throws Unavailable */
  async list(): Promise<{ instances: ListedInstance[]; guards: ListedGuard[] }> {
    const rows = await this.database.run<InstanceRow>(READ_INSTANCES);
    const instances = rows.map(({ instance, guards, ttl_ms, renewed, unconfirmed }) => {
      return { instance, guards, leaseTtl: ttl_ms, renewedAgo: Math.round(renewed), unconfirmed };
    });
    const guards = rows.flatMap(({ instance, holders, described }) =>
      (holders ?? []).map((one) => listed(one, instance, Math.round(described ?? 0))),
    );
    return { instances, guards };
  }
}

/** Splits the name by which an instance knows a guard: the client id, a space, the name. */
function listed(one: DescribedGuard, instance: string, ago: number): ListedGuard {
  const [clientId = '', name = ''] = one.guard.split(' ');
  const { behind, awaited } = one;
  return {
    name,
    clientId,
    instance,
    leaseLeft: Math.max(0, one.left - ago),
    behind,
    awaited,
    describedAgo: ago,
  };
}
