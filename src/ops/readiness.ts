import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { ON_PRIMARY } from '../database/primary.sql.js';
import { DatabaseSession } from '../database/database-session.js';
import { DrainState } from '../http/drain.js';
import { Unavailable } from '../http/errors/unavailable.js';

const PRIMARY_ANSWERS = { name: 'primary_answers', text: `SELECT 1 AS answer WHERE ${ON_PRIMARY}` };

/** Whether the service can answer requests. */
export abstract class Readiness {
  /** @throws Unavailable if it cannot */
  abstract check(): Promise<void>;
}

/**
 * The readiness of a process that answers requests itself. It asks the primary database over the connections that token
 * validations use.
 */
@Injectable()
export class OwnReadiness extends Readiness {
  constructor(
    private readonly database: Database,
    private readonly session: DatabaseSession,
    private readonly drain: DrainState,
  ) {
    super();
  }

  async check(): Promise<void> {
    if (this.drain.draining) throw new Unavailable('shutting down');
    if (!this.session.ready) throw new Unavailable('the database is still being prepared');
    await this.database.runHot(PRIMARY_ANSWERS);
  }
}
