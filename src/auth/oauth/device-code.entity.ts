import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** The code between a device's request and its tokens. It works once, after a person's consent, within ten minutes. */
@Entity('device_codes')
@Unique('device_codes_user_code_key', ['userCode'])
@Index('device_codes_expires_at_idx', ['expiresAt'])
export class DeviceCode {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'device_codes_pkey' })
  digest!: Buffer;

  /** A MAC of the code that people type: a plain digest of so short a text could be reversed. */
  @Column('bytea', { name: 'user_code' })
  userCode!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  /** The scope that the client asks for. The person may have less. */
  @Column('text')
  scope!: string;

  @Column('text')
  audience!: string;

  /** Whether a refresh token was asked for. */
  @Column('boolean')
  offline!: boolean;

  /** The IP address that the device asked from. The person sees it. */
  @Column('text', { nullable: true })
  ip!: string | null;

  /** The device's network: the waiting requests of a client without a secret are counted by network. */
  @Column('text')
  network!: string;

  /** Seconds between two polls (RFC 8628 §3.5). */
  @Column('integer')
  pause!: number;

  @Column('timestamptz', { name: 'polled_at', nullable: true })
  polledAt!: Date | null;

  /** The consent, once a person has given it. */
  @Column('uuid', { name: 'grant_id', nullable: true })
  grantId!: string | null;

  @Column('timestamptz', { name: 'denied_at', nullable: true })
  deniedAt!: Date | null;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
