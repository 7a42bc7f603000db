import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { GrantKind } from './grant-revocation.js';

/**
 * All of a user's grants of these kinds, of this epoch or earlier, have ended, even if their own rows do not say so
 * yet. The sweeper deletes this row when they do.
 */
@Entity('owner_endings')
@Index('owner_endings_user_id_idx', ['userId'])
export class OwnerEnding {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'owner_endings_pkey' })
  id!: string;

  @Column('uuid', { name: 'user_id' })
  @ForeignKey('users', { name: 'owner_endings_user_id_fkey', onDelete: 'CASCADE' })
  userId!: string;

  @Column('bigint')
  epoch!: string;

  @Column('text', { array: true })
  kinds!: GrantKind[];

  /** The id of the login that stays alive. */
  @Column('uuid', { name: 'except_grant_id', nullable: true })
  exceptGrantId!: string | null;

  /** If set: only grants with a scope that is not in this list. */
  @Column('text', { array: true, nullable: true })
  beyond!: string[] | null;

  @Column('timestamptz', { name: 'ended_at' })
  endedAt!: Date;

  @Column('text')
  reason!: string;

  @Column('text', { nullable: true })
  actor!: string | null;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  /** The id of the last grant that the sweeper has read. It reads the user's grants in the order of their ids. */
  @Column('uuid', { name: 'swept_to', default: '00000000-0000-0000-0000-000000000000' })
  sweptTo!: string;
}
