import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The counts of five minutes, of all instances together. */
@Entity('numbers_history')
export class NumbersHistoryRow {
  @PrimaryColumn('timestamptz', { name: 'began_at', primaryKeyConstraintName: 'numbers_history_pkey' })
  beganAt!: Date;

  @Column('bigint')
  issued!: string;

  @Column('bigint')
  validated!: string;

  @Column('bigint')
  refused!: string;

  @Column('bigint')
  unanswered!: string;

  @Column('bigint', { name: 'logins_refused' })
  loginsRefused!: string;

  @Column('bigint')
  revoked!: string;
}
