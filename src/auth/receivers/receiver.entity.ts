import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A receiver of events, and the state of its deliveries. */
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

  /** The names of the events that it is told of; null for all. */
  @Column('text', { array: true, nullable: true })
  events!: string[] | null;

  /** The value of the `Authorization` header that it wants, encrypted like private keys. */
  @Column('bytea', { name: 'sealed_authorization', nullable: true, select: false })
  sealedAuthorization!: Buffer | null;

  @Column('bigint', { default: 0 })
  delivered!: string;

  /** How many events it has refused for ever. */
  @Column('bigint', { default: 0 })
  refused!: string;

  /** How many events were given up: they were too old, or too many. */
  @Column('bigint', { name: 'given_up', default: 0 })
  givenUp!: string;

  /** Failed attempts in a row. */
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

  /** When an event was last refused or given up. */
  @Column('timestamptz', { name: 'lost_at', nullable: true })
  lostAt!: Date | null;

  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil!: Date | null;

  /** The lease of the process that sends to it at the moment. */
  @Column('uuid', { nullable: true })
  lease!: string | null;

  @Column('timestamptz', { name: 'leased_until', nullable: true })
  leasedUntil!: Date | null;
}
