import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A used proof, kept until it would be refused for its age anyway. */
@Entity('used_proofs')
@Index('used_proofs_expires_at_idx', ['expiresAt'])
export class UsedProof {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'used_proofs_pkey' })
  digest!: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
