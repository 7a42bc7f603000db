import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * The code between a person's consent and the client's first tokens. It works once, within a minute. A used code stays
 * for a day, so that a second use is recognised.
 */
@Entity('authorization_codes')
@Index('authorization_codes_expires_at_idx', ['expiresAt'])
export class AuthorizationCode {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'authorization_codes_pkey' })
  digest!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** The consent. When the consent ends, the code ends. */
  @Column('uuid', { name: 'grant_id' })
  grantId!: string;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  @Column('text', { name: 'redirect_uri' })
  redirectUri!: string;

  /** SHA-256 of a secret that the client keeps (RFC 7636). */
  @Column('text', { name: 'code_challenge' })
  codeChallenge!: string;

  @Column('text')
  audience!: string;

  /** Whether a refresh token was asked for. */
  @Column('boolean')
  offline!: boolean;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;

  /** Thumbprint of the key whose proof must come with the code (RFC 9449 §10). */
  @Column('text', { nullable: true })
  jkt!: string | null;
}
