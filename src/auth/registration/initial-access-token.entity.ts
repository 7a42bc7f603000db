import { Check, Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** With it somebody whom an administrator trusts registers clients, so many and until then. */
@Entity('initial_access_tokens')
@Unique('initial_access_tokens_digest_key', ['digest'])
@Check('initial_access_tokens_uses_check', 'uses_left >= 0')
export class InitialAccessToken {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'initial_access_tokens_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('bytea', { select: false })
  digest!: Buffer;

  @Column('text')
  label!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('integer', { name: 'uses_left' })
  usesLeft!: number;
}
