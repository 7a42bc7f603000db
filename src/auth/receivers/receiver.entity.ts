import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** Who is told of what ends, and how that goes. */
@Entity('receivers')
@Unique('receivers_name_key', ['name'])
export class Receiver {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'receivers_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text')
  name!: string;

  @Column('text')
  url!: string;

  @Column('text')
  audience!: string;

  /** Null: all of them. */
  @Column('text', { array: true, nullable: true })
  events!: string[] | null;

  /** What it wants in `Authorization`, encrypted as private keys are. */
  @Column('bytea', { name: 'sealed_authorization', nullable: true, select: false })
  sealedAuthorization!: Buffer | null;

  @Column('bigint', { default: 0 })
  delivered!: string;

  /** What it has said that it never takes. */
  @Column('bigint', { default: 0 })
  refused!: string;

  /** What it could not be told in time, or of which there was too much. */
  @Column('bigint', { name: 'given_up', default: 0 })
  givenUp!: string;

  /** In a row. */
  @Column('integer', { default: 0 })
  failures!: number;

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;

  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt!: Date | null;

  @Column('timestamptz', { name: 'verified_at', nullable: true })
  verifiedAt!: Date | null;

  /** When something was last refused or given up. */
  @Column('timestamptz', { name: 'lost_at', nullable: true })
  lostAt!: Date | null;

  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil!: Date | null;

  /** Who sends to it at the moment. */
  @Column('uuid', { nullable: true })
  lease!: string | null;

  @Column('timestamptz', { name: 'leased_until', nullable: true })
  leasedUntil!: Date | null;
}
