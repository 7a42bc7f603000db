import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A proof that was used, until it is refused for its age. */
@Entity('used_proofs')
@Index('used_proofs_expires_at_idx', ['expiresAt'])
export class UsedProof {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'used_proofs_pkey' })
  digest!: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
