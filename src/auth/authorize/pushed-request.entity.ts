import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a client asks for, sent by itself before it sends a person: for 90 seconds, and answered once. */
@Entity('pushed_requests')
@Index('pushed_requests_expires_at_idx', ['expiresAt'])
export class PushedRequest {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'pushed_requests_pkey' })
  digest!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** Until then somebody has to come with it. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  /** By which those of a client without a secret are counted. */
  @Column('text')
  network!: string;

  /** As a query would have them; never a secret. */
  @Column('text')
  parameters!: string;

  /** When somebody first came with it. */
  @Column('timestamptz', { name: 'opened_at', nullable: true })
  openedAt!: Date | null;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
