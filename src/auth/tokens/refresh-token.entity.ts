import { Check, Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

@Entity('refresh_tokens')
@Index('refresh_tokens_id_idx', ['id'], { type: 'hash' })
@Check('refresh_tokens_format_check', `format IN ('opaque', 'jwt')`)
export class RefreshToken {
  @Column('uuid')
  @Generated('uuid')
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'refresh_tokens_pkey' })
  digest!: Buffer;

  @PrimaryColumn('timestamptz', { name: 'expires_at', primaryKeyConstraintName: 'refresh_tokens_pkey' })
  expiresAt!: Date;

  @Column('uuid', { name: 'grant_id' })
  grantId!: string;

  @Column('text')
  scope!: string;

  @Column('text')
  audience!: string;

  @Column('text')
  format!: 'opaque' | 'jwt';

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;

  @Column('bytea', { nullable: true })
  successor!: Buffer | null;

  @Column('timestamptz', { name: 'successor_expires_at', nullable: true })
  successorExpiresAt!: Date | null;

  @Column('text', { name: 'answered_scope', nullable: true })
  answeredScope!: string | null;

  /** The thumbprint of the key that the token is bound to (RFC 9449 §6). */
  @Column('text', { nullable: true })
  jkt!: string | null;
}
