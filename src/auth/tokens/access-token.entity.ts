import { Check, Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

/**
 * The table has no primary key: a hash index finds the digests. TypeORM cannot describe a table without a primary key
 * and would create one. So a test compares the columns with the schema instead.
 */
@Entity('access_tokens', { synchronize: false })
@Index('access_tokens_digest_idx', ['digest'], { type: 'hash' })
@Check('access_tokens_format_check', `format IN ('opaque', 'jwt')`)
export class AccessToken {
  @Column('uuid')
  @Generated('uuid')
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @PrimaryColumn('bytea')
  digest!: Buffer;

  @PrimaryColumn('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('uuid', { name: 'grant_id' })
  grantId!: string;

  @Column('text')
  scope!: string;

  @Column('text')
  audience!: string;

  @Column('text')
  format!: 'opaque' | 'jwt';

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** The owner of the grant, who never changes. Both columns are null in tokens that are older than the columns. */
  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @Column('text', { name: 'client_id', nullable: true })
  clientId!: string | null;

  /** The thumbprint of the key that the token is bound to (RFC 9449 §6). */
  @Column('text', { nullable: true })
  jkt!: string | null;
}
