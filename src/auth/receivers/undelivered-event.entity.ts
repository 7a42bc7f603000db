import { Column, Entity, ForeignKey, Generated, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/** An event that a receiver has not taken yet. */
@Entity('undelivered_events')
@Index('undelivered_events_strangers_idx', ['receiverId', 'seq'], { where: `event = 'login-throttled'` })
@Index('undelivered_events_happened_at_idx', ['happenedAt'])
export class UndeliveredEvent {
  @PrimaryColumn('uuid', { name: 'receiver_id', primaryKeyConstraintName: 'undelivered_events_pkey' })
  @ForeignKey('receivers', { name: 'undelivered_events_receiver_id_fkey', onDelete: 'CASCADE' })
  receiverId!: string;

  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'undelivered_events_pkey',
  })
  seq!: string;

  /** The `jti`, the same in each attempt. */
  @Column('uuid')
  @Generated('uuid')
  id!: string;

  @Column('text')
  event!: string;

  @Column('timestamptz', { name: 'happened_at' })
  happenedAt!: Date;

  @Column('text')
  txn!: string;

  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @Column('text', { name: 'client_id', nullable: true })
  clientId!: string | null;

  @Column('uuid', { name: 'session_id', nullable: true })
  sessionId!: string | null;

  @Column('uuid', { name: 'token_id', nullable: true })
  tokenId!: string | null;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('jsonb', { default: {} })
  claims!: object;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('timestamptz', { name: 'due_at', nullable: true })
  dueAt!: Date | null;
}
