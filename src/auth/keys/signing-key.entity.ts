import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

@Entity('signing_keys')
@Unique('signing_keys_kid_key', ['kid'])
export class SigningKey {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'signing_keys_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text')
  kid!: string;

  @Column('text')
  alg!: string;

  /** Encrypted under a key derived from SECRET_KEY. */
  @Column('bytea', { name: 'private_key' })
  privateKey!: Buffer;

  @Column('jsonb', { name: 'public_jwk' })
  publicJwk!: { readonly x: string; readonly y: string };

  @Column('timestamptz', { name: 'signs_from' })
  signsFrom!: Date;

  @Column('timestamptz', { name: 'retires_at', nullable: true })
  retiresAt!: Date | null;
}
