import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sameOwner, sameRights } from './as-grants.js';

/** What happened in the last day, for people who look at the console: one row every five minutes, for all instances together. */
export class NumbersHistory1796260400000 implements MigrationInterface {
  readonly name = 'NumbersHistory1796260400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE numbers_history (
        began_at       timestamptz NOT NULL,
        issued         bigint      NOT NULL,
        validated      bigint      NOT NULL,
        refused        bigint      NOT NULL,
        unanswered     bigint      NOT NULL,
        logins_refused bigint      NOT NULL,
        revoked        bigint      NOT NULL,
        CONSTRAINT numbers_history_pkey PRIMARY KEY (began_at)
      )`);
    await queryRunner.query(sameOwner('TABLE numbers_history'));
    await queryRunner.query(sameRights(['numbers_history'], ['SELECT', 'INSERT', 'UPDATE', 'DELETE']));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE numbers_history');
  }
}
