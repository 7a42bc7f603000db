import { Check, Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Why tokens exist: a login, a client, an API key, or a person who lets a client act for them. Revoking it kills them all. */
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

  /** The user's when it was made; none, of a grant that is older than epochs, is the first. Clients have none. */
  @Column('bigint', { nullable: true })
  epoch!: string | null;

  /** Of a consent: whether the same client is let in again without a question, for no more than this. */
  @Column('boolean', { default: false })
  remembered!: boolean;

  /** Whether JWTs are issued for it; of one from a version before nobody knows. */
  @Column('boolean', { nullable: true })
  signed!: boolean | null;
}
