import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
} from 'typeorm';

/**
 * The reason why tokens exist: a login, a client, an API key, or the consent of a person who lets a client act for
 * them. Revoking a grant kills all of its tokens.
 */
@Entity('grants')
@Index('grants_user_id_idx', ['userId', 'id'])
@Index('grants_client_id_idx', ['clientId', 'id'])
@Index('grants_created_at_idx', ['createdAt', 'id'])
@Index('grants_expires_at_idx', ['expiresAt'])
@Index('grants_standing_key', ['clientId'], { unique: true, where: `kind = 'client' AND revoked_at IS NULL` })
@Index('grants_living_idx', ['userId', 'kind', 'expiresAt'], {
  where: 'revoked_at IS NULL AND user_id IS NOT NULL',
})
@Index('grants_newest_idx', ['createdAt', 'id'], { where: 'revoked_at IS NULL' })
@Index('grants_newest_of_user_idx', ['userId', 'kind', 'createdAt', 'id'], {
  where: 'revoked_at IS NULL AND user_id IS NOT NULL',
})
@Index('grants_newest_of_client_idx', ['clientId', 'createdAt', 'id'], {
  where: 'revoked_at IS NULL AND client_id IS NOT NULL',
})
@Index('grants_revoked_at_idx', ['revokedAt'], { where: 'revoked_at IS NOT NULL' })
@Check('grants_kind_check', `kind IN ('login', 'client', 'api_key', 'consent')`)
@Check(
  'grants_owner_check',
  `(user_id IS NOT NULL) = (kind <> 'client') AND (client_id IS NOT NULL) = (kind IN ('client', 'consent'))`,
)
export class Grant {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'grants_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text')
  kind!: 'login' | 'client' | 'api_key' | 'consent';

  @Column('uuid', { name: 'user_id', nullable: true })
  @ForeignKey('users', { name: 'grants_user_id_fkey' })
  userId!: string | null;

  @Column('text', { name: 'client_id', nullable: true })
  @ForeignKey('clients', 'clientId', { name: 'grants_client_id_fkey' })
  clientId!: string | null;

  @Column('text')
  scope!: string;

  @Column('text', { nullable: true })
  label!: string | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('text', { name: 'revoked_reason', nullable: true })
  revokedReason!: string | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;

  /**
   * The user's epoch when the grant was made. Null for grants of clients, and for grants that are older than this
   * column; such grants count as epoch 0.
   */
  @Column('bigint', { nullable: true })
  epoch!: string | null;

  /** For a consent: whether the client gets the same scope, or less, again without asking the person. */
  @Column('boolean', { default: false })
  remembered!: boolean;

  /** Whether JWTs are issued for the grant; null for grants of earlier versions. */
  @Column('boolean', { nullable: true })
  signed!: boolean | null;
}

/**
 * A grant that was revoked or deleted, or whose end has changed since its access tokens were made. Triggers on `grants`
 * write the row in the same transaction. The row stays until all of these tokens have expired.
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

  /** The `expires_at` of the grant since `notedAt`. */
  @Column('timestamptz', { name: 'ends_at', nullable: true })
  endsAt!: Date | null;
}
