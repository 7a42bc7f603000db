import { Check, Column, CreateDateColumn, Entity, Generated, PrimaryColumn } from 'typeorm';

@Entity('access_tokens')
@Check('access_tokens_format_check', `format IN ('opaque', 'jwt')`)
export class AccessToken {
  @Column('uuid')
  @Generated('uuid')
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'access_tokens_pkey' })
  digest!: Buffer;

  @PrimaryColumn('timestamptz', { name: 'expires_at', primaryKeyConstraintName: 'access_tokens_pkey' })
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
}
