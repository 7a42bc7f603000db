import type { Client } from 'pg';
import { ok, warn, type Finding } from './finding.js';

export interface ReplicationFacts {
  /** `synchronous_standby_names`, as a whole; empty if no commit waits for a standby. */
  readonly names: string;
  /** `synchronous_commit`, as it is for this database and role. */
  readonly commit: string;
  readonly standbys: number;
  /** Null where this role may not see it. */
  readonly synchronous: number | null;
}

/** With these values, a commit is on a standby's disk before it is answered. */
const WAITS_FOR_STANDBY = ['on', 'remote_apply'];

/** Checks whether answered changes survive a failover. */
export async function checkReplication(client: Client): Promise<Finding[]> {
  const { rows } = await client.query<ReplicationFacts>(`
    SELECT current_setting('synchronous_standby_names') AS names, current_setting('synchronous_commit') AS commit,
           (SELECT count(*)::int FROM pg_stat_replication) AS standbys,
           (SELECT CASE WHEN bool_or(sync_state IS NULL) THEN NULL
                        ELSE (count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')))::int END
              FROM pg_stat_replication) AS synchronous`);
  return rows.map(judgeReplication);
}

export function judgeReplication({ names, commit, standbys, synchronous }: ReplicationFacts): Finding {
  const check = 'failover';
  if (names.trim() === '') {
    if (standbys === 0) return ok(check, 'no standby is connected');
    return warn(
      check,
      `${standbys} connected, none of them synchronous: a failover can lose revokes that were answered`,
      'set synchronous_standby_names in PostgreSQL, or end by hand what was revoked just before a failover',
    );
  }
  if (!WAITS_FOR_STANDBY.includes(commit))
    return warn(
      check,
      `synchronous_standby_names is set, and synchronous_commit = ${commit} does not wait for it`,
      'set synchronous_commit to on for this database and role',
    );
  if (synchronous === 0 || standbys === 0)
    return warn(
      check,
      'synchronous_standby_names is set, and no such standby is connected: every change waits, and is 503',
      'start a standby that it names, or correct it',
    );
  return ok(check, `a change is on a standby before it is answered (${names})`);
}
