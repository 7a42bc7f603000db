import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Database } from '../../database/database.js';
import type { ImportedUser } from './import-line.js';
import { PasswordHash } from './password-hash.js';
import * as sql from './user-import.sql.js';

/** What became of some users, by their folded names. Whoever is in neither list has an id that somebody else has. */
export interface Imported {
  readonly added: ReadonlySet<string>;
  /** Were there before, and stay as they were: so an import that was cut off is begun again. */
  readonly present: ReadonlySet<string>;
}

/** Owns the bringing in of users whose passwords another system hashed; never the reading of a file. */
@Injectable()
export class UserImport {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly hash: PasswordHash,
  ) {}

  /** All of them in one statement. @throws Unavailable */
  async add(users: readonly ImportedUser[]): Promise<Imported> {
    const rows = await this.database.run<sql.NamedRow>(sql.IMPORT_USERS, [
      users.map(({ id }) => id),
      users.map(({ name }) => name),
      users.map(({ folded }) => folded),
      users.map(({ hash }) => hash ?? this.hash.unusable()),
      users.map(({ scope }) => scope),
      users.map(({ disabled }) => disabled),
      new Date(this.clock.now()),
    ]);
    const added = namesIn(rows);
    return { added, present: await this.taken(users.filter(({ folded }) => !added.has(folded))) };
  }

  /** The same without doing it. @throws Unavailable */
  async look(users: readonly ImportedUser[]): Promise<Imported> {
    const present = await this.taken(users);
    const ids = users.flatMap(({ id }) => (id === null ? [] : [id]));
    const rows = await this.database.run<{ id: string }>(sql.IDS_TAKEN, [ids]);
    const takenIds = new Set(rows.map(({ id }) => id));
    const added = users.filter(
      ({ id, folded }) => !present.has(folded) && !(id !== null && takenIds.has(id)),
    );
    return { added: new Set(added.map(({ folded }) => folded)), present };
  }

  private async taken(users: readonly ImportedUser[]): Promise<ReadonlySet<string>> {
    if (users.length === 0) return new Set();
    const names = users.map(({ folded }) => folded);
    return namesIn(await this.database.run<sql.NamedRow>(sql.NAMES_TAKEN, [names]));
  }
}

function namesIn(rows: readonly sql.NamedRow[]): ReadonlySet<string> {
  return new Set(rows.map((row) => row.name_folded));
}
