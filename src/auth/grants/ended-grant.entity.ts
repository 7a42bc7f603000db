import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A grant that was revoked, ends earlier than it did when its tokens were made, or is gone: what makes its access tokens
 * dead. Triggers on `grants` write it in the same transaction. Its row stays longer than any of these tokens lives.
 */
@Entity('ended_grants')
@Index('ended_grants_grant_id_idx', ['grantId'], { type: 'hash' })
@Index('ended_grants_noted_at_idx', ['notedAt'])
export class EndedGrant {
  @PrimaryColumn('uuid', { name: 'grant_id', primaryKeyConstraintName: 'ended_grants_pkey' })
  grantId!: string;

  @Column('timestamptz', { name: 'noted_at' })
  notedAt!: Date;

  @Column('boolean')
  revoked!: boolean;

  /** The grant's `expires_at` since then. */
  @Column('timestamptz', { name: 'ends_at', nullable: true })
  endsAt!: Date | null;
}
