import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Failed attempts in a window of time. The key is a digest of what is counted. */
@Entity('attempt_counters')
@Index('attempt_counters_ends_at_idx', ['endsAt'])
export class AttemptCounter {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'attempt_counters_pkey' })
  key!: Buffer;

  @Column('integer')
  failures!: number;

  @Column('timestamptz', { name: 'ends_at' })
  endsAt!: Date;
}
