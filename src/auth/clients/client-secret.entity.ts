import { Column, CreateDateColumn, Entity, ForeignKey, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

@Entity('client_secrets')
@Unique('client_secrets_digest_key', ['digest'])
@Index('client_secrets_client_id_idx', ['clientId'])
export class ClientSecret {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'client_secrets_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text', { name: 'client_id' })
  @ForeignKey('clients', 'clientId', { name: 'client_secrets_client_id_fkey' })
  clientId!: string;

  /** Asked about by the token endpoint alone. */
  @Column('bytea', { select: false })
  digest!: Buffer;

  /** Which SECRET_KEY it was made with; null before that was noted. */
  @Column('text', { name: 'key_id', nullable: true })
  keyId!: string | null;
}
