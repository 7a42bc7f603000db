import {
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  Generated,
  Index,
  PrimaryColumn,
  Unique,
} from 'typeorm';

@Entity('api_keys')
@Index('api_keys_id_idx', ['id'], { type: 'hash' })
@Unique('api_keys_grant_id_key', ['grantId'])
export class ApiKey {
  @Column('uuid')
  @Generated('uuid')
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'api_keys_pkey' })
  digest!: Buffer;

  @Column('uuid', { name: 'grant_id' })
  @ForeignKey('grants', { name: 'api_keys_grant_id_fkey' })
  grantId!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text')
  audience!: string;

  /** Which SECRET_KEY it was made with; null before that was noted. */
  @Column('text', { name: 'key_id', nullable: true })
  keyId!: string | null;
}
