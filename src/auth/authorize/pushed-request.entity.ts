import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** An authorization request that a client sent directly. It waits 90 seconds for a person, and is answered once. */
@Entity('pushed_requests')
@Index('pushed_requests_expires_at_idx', ['expiresAt'])
export class PushedRequest {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'pushed_requests_pkey' })
  digest!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** A browser must come with the request's name by then. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  /** The sender's network: the waiting requests of a client without a secret are counted by network. */
  @Column('text')
  network!: string;

  /** Spelled as a query, without secrets. */
  @Column('text')
  parameters!: string;

  /** When a browser first came with the request's name. */
  @Column('timestamptz', { name: 'opened_at', nullable: true })
  openedAt!: Date | null;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
