import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** Between a device that asks and the tokens that it gets, once a person has said yes: for ten minutes, and once. */
@Entity('device_codes')
@Unique('device_codes_user_code_key', ['userCode'])
@Index('device_codes_expires_at_idx', ['expiresAt'])
export class DeviceCode {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'device_codes_pkey' })
  digest!: Buffer;

  /** A MAC of what people type: a mere digest of so short a text could be turned back. */
  @Column('bytea', { name: 'user_code' })
  userCode!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  /** As the client asks for it: a person may have less. */
  @Column('text')
  scope!: string;

  @Column('text')
  audience!: string;

  /** Whether a refresh token was asked for. */
  @Column('boolean')
  offline!: boolean;

  /** From where it was asked, shown to the person. */
  @Column('text', { nullable: true })
  ip!: string | null;

  /** By which those of a client without a secret are counted. */
  @Column('text')
  network!: string;

  /** Seconds between two polls (RFC 8628 §3.5). */
  @Column('integer')
  pause!: number;

  @Column('timestamptz', { name: 'polled_at', nullable: true })
  polledAt!: Date | null;

  /** The consent, once somebody has said yes. */
  @Column('uuid', { name: 'grant_id', nullable: true })
  grantId!: string | null;

  @Column('timestamptz', { name: 'denied_at', nullable: true })
  deniedAt!: Date | null;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
