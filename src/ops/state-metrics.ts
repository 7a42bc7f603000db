import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Metric } from 'prom-client';
import { KeyRing } from '../auth/keys/key-ring.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Maintenance } from '../database/schema/maintenance.js';
import { databaseMetrics } from './process-metrics.js';
import { Readiness } from './readiness.js';

/**
 * A database that takes longer counts as away: milliseconds. The primary waits one second for the numbers of a worker.
 */
const PATIENCE_MS = 700;

/** The state that alarms need, in addition to the counters: readiness, maintenance, and the signing key. */
@Injectable()
export class StateMetrics {
  readonly all: readonly Metric[];

  constructor(
    readiness: Readiness,
    database: Database,
    maintenance: Maintenance,
    ring: KeyRing,
    @Inject(CONFIG) config: Config,
  ) {
    // readiness comes last, because its own connection must not count
    this.all = [
      ...databaseMetrics(database),
      ...upkeep(maintenance),
      signingKey(ring, config),
      ready(readiness),
    ];
  }
}

/** The answer of /health/ready, without a second probe. */
function ready(readiness: Readiness): Metric {
  return new Gauge({
    registers: [],
    name: 'keks_ready',
    help: 'Processes that are ready, of keks_workers: the primary answers soon, and they are not shutting down.',
    async collect() {
      const asked = readiness.check().then(
        () => 1,
        () => 0,
      );
      const given = new AbortController();
      const late = sleep(PATIENCE_MS, 0, { signal: given.signal }).catch(() => 0);
      this.set(await Promise.race([asked, late]));
      given.abort();
    },
  });
}

function upkeep(maintenance: Maintenance): Metric[] {
  const done = new Gauge({
    registers: [],
    name: 'keks_maintenance_timestamp_seconds',
    help: 'When the partitions were last looked after, by the clock of the database; 0: not yet. It is done every hour.',
    collect() {
      this.set(maintenance.state.doneAt / 1_000);
    },
  });
  const astray = new Gauge({
    registers: [],
    name: 'keks_default_partition_rows',
    help: 'Rows for which there was no partition, counted when partitions are looked after, up to 10,000.',
    labelNames: ['table'],
    collect() {
      for (const [table, rows] of Object.entries(maintenance.state.astray)) this.set({ table }, rows);
    },
  });
  return [done, astray];
}

function signingKey(ring: KeyRing, { SIGNING_KEY_TTL }: Pick<Config, 'SIGNING_KEY_TTL'>): Metric {
  return new Gauge({
    registers: [],
    name: 'keks_signing_key_due_timestamp_seconds',
    help: 'When the newest key for JWTs is due to be followed by the next one, which Keks sees to itself.',
    labelNames: ['kid'],
    collect() {
      this.reset();
      const newest = ring.published().at(-1);
      if (newest) this.set({ kid: newest.kid }, newest.signsFrom / 1_000 + SIGNING_KEY_TTL);
    },
  });
}
