import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Any, Repository } from 'typeorm';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { Statement } from '../../database/statement.js';
import type { ImportedUser } from './import-line.js';
import { PasswordHash } from './password-hash.js';
import { User } from './user.entity.js';

/**
 * By hand: one statement adds many users, all or none. Sorted, so that two imports at once do not wait for each other in a
 * circle.
 */
const IMPORT_USERS: Statement = {
  name: 'import_users',
  text: `
    WITH added AS (
      INSERT INTO users (id, name, name_folded, password_hash, scope, disabled_at)
      SELECT coalesce(id, gen_random_uuid()), name, name_folded, password_hash, scope, CASE WHEN disabled THEN $7::timestamptz END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
          AS wanted (id, name, name_folded, password_hash, scope, disabled)
       ORDER BY name_folded
      ON CONFLICT DO NOTHING RETURNING name, name_folded, scope, disabled_at
    ), audit AS (
      INSERT INTO audit_events (created_at, type, actor, detail)
      SELECT $7, 'user.added', 'operator',
             jsonb_build_object('user', name, 'scope', scope, 'imported', true, 'disabled', disabled_at IS NOT NULL)
        FROM added
    )
    SELECT name_folded FROM added`,
};

/** What became of some users, by their folded names. A user who is in neither list has an id that belongs to somebody else. */
export interface Imported {
  readonly added: ReadonlySet<string>;
  /** They were there before and stay as they were. So an import that was cut off can be started again. */
  readonly present: ReadonlySet<string>;
}

/** Owns the import of users whose passwords another system hashed; never the reading of a file. */
@Injectable()
export class UserImport {
  constructor(
    private readonly database: Database,
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly clock: Clock,
    private readonly hash: PasswordHash,
  ) {}

  /** All of them in one statement. @throws Unavailable */
  async add(users: readonly ImportedUser[]): Promise<Imported> {
    const rows = await this.database.run<{ name_folded: string }>(IMPORT_USERS, [
      users.map(({ id }) => id),
      users.map(({ name }) => name),
      users.map(({ folded }) => folded),
      users.map(({ hash }) => hash ?? this.hash.unusable()),
      users.map(({ scope }) => scope),
      users.map(({ disabled }) => disabled),
      new Date(this.clock.now()),
    ]);
    const added = new Set(rows.map((row) => row.name_folded));
    return { added, present: await this.taken(users.filter(({ folded }) => !added.has(folded))) };
  }

  /** What `add` would do, without doing it. @throws Unavailable */
  async look(users: readonly ImportedUser[]): Promise<Imported> {
    const present = await this.taken(users);
    const ids = users.flatMap(({ id }) => (id === null ? [] : [id]));
    const rows = await this.users.find({ select: { id: true }, where: { id: Any(ids) } });
    const takenIds = new Set(rows.map(({ id }) => id));
    const added = users.filter(
      ({ id, folded }) => !present.has(folded) && !(id !== null && takenIds.has(id)),
    );
    return { added: new Set(added.map(({ folded }) => folded)), present };
  }

  private async taken(users: readonly ImportedUser[]): Promise<ReadonlySet<string>> {
    if (users.length === 0) return new Set();
    const nameFolded = Any(users.map(({ folded }) => folded));
    const rows = await this.users.find({ select: { nameFolded: true }, where: { nameFolded } });
    return new Set(rows.map((user) => user.nameFolded));
  }
}
