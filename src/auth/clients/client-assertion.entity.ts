import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Assertions that have been used: each counts once, wherever it comes (RFC 7523 §3). */
@Entity('client_assertions')
@Index('client_assertions_expires_at_idx', ['expiresAt'])
export class ClientAssertion {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'client_assertions_pkey' })
  digest!: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
