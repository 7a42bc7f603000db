import { Check, Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A token from an administrator. Its holder may register a limited number of clients until it expires. */
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
