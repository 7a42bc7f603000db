import { describe, expect, it } from 'vitest';
import { judgeReplication } from '../../src/cli/verbs/doctor/replication-checks.js';

describe('keks doctor, on what a failover loses', () => {
  it.each([
    ['nothing replicates', { names: '', commit: 'on', standbys: 0, synchronous: null }, 'ok'],
    ['an asynchronous standby', { names: '', commit: 'on', standbys: 1, synchronous: 0 }, 'warn'],
    [
      'one that this role may not look at',
      { names: '', commit: 'on', standbys: 1, synchronous: null },
      'warn',
    ],
    ['a synchronous one', { names: 'a', commit: 'on', standbys: 1, synchronous: 1 }, 'ok'],
    ['a quorum', { names: 'ANY 1 (a, b)', commit: 'remote_apply', standbys: 2, synchronous: 2 }, 'ok'],
    ['named, and away', { names: 'a', commit: 'on', standbys: 1, synchronous: 0 }, 'warn'],
    ['named, and nobody there', { names: 'a', commit: 'on', standbys: 0, synchronous: null }, 'warn'],
    ['named, and not waited for', { names: 'a', commit: 'local', standbys: 1, synchronous: 1 }, 'warn'],
    ['named, and only received', { names: 'a', commit: 'remote_write', standbys: 1, synchronous: 1 }, 'warn'],
  ])('%s', (_, facts, status) => expect(judgeReplication(facts).status).toBe(status));
});
