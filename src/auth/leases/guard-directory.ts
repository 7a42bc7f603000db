import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { READ_INSTANCES, type DescribedGuard, type InstanceRow } from './leases.sql.js';

/** A guard that holds a lease, or held one when its instance described it. Times in milliseconds. */
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
  /** Revocations that it has not said yet to be known by all of its guards. */
  readonly unconfirmed: number;
}

/** Owns what people are shown of the guards of all instances; it decides nothing. */
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

/** The instance tells guards apart by client and name. */
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
