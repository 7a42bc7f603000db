import type { PublicJwk } from './client-keys.js';
import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  ForeignKey,
  Index,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';

@Entity('clients')
@Unique('clients_client_id_key', ['clientId'])
@Index('clients_self_registered_idx', ['createdAt'], { where: 'self_registered' })
@Check('clients_token_format_check', `token_format IN ('opaque', 'jwt')`)
export class Client {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'clients_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text', { name: 'client_id' })
  clientId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  scope!: string;

  @Column('text', { array: true })
  audience!: string[];

  /** Of which APIs beside its own it may ask tokens, as `resourceOf` reads them; null for those from before there was a choice: of any. */
  @Column('text', { array: true, nullable: true })
  resources!: string[] | null;

  /** Where answers to it may go. One that has any acts for people, and never for itself. */
  @Column('text', { name: 'redirect_uris', array: true, default: '{}' })
  redirectUris!: string[];

  /** Whether people may let it in with a code that they type (RFC 8628). Such a client acts for people, too. */
  @Column('boolean', { name: 'device_grant', default: false })
  deviceGrant!: boolean;

  /** Whether it has to push its requests before it sends anybody (RFC 9126 §6). */
  @Column('boolean', { name: 'require_pushed', default: false })
  requirePushed!: boolean;

  /** Whether it has no secret: a program that runs in other people's hands (RFC 6749 §2.1). */
  @Column('boolean', { name: 'is_public', default: false })
  isPublic!: boolean;

  /** Nobody here has added it, and nobody has checked what it says of itself. */
  @Column('boolean', { name: 'self_registered', default: false })
  selfRegistered!: boolean;

  /** The public keys with which it proves itself in place of a secret; null for others. */
  @Column('jsonb', { nullable: true })
  jwks!: readonly PublicJwk[] | null;

  /** Whether it gets only tokens that are bound to a key (RFC 9449 §5.2). */
  @Column('boolean', { name: 'dpop_bound', default: false })
  dpopBound!: boolean;

  /** Whether it may exchange tokens of others for tokens for another API (RFC 8693). */
  @Column('boolean', { name: 'token_exchange', default: false })
  tokenExchange!: boolean;

  @Column('text', { name: 'token_format' })
  tokenFormat!: 'opaque' | 'jwt';

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;
}

@Entity('client_secrets')
@Unique('client_secrets_digest_key', ['digest'])
@Index('client_secrets_client_id_idx', ['clientId'])
export class ClientSecret {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'client_secrets_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text', { name: 'client_id' })
  @ForeignKey('clients', 'clientId', { name: 'client_secrets_client_id_fkey' })
  clientId!: string;

  /** Asked about by the token endpoint alone. */
  @Column('bytea', { select: false })
  digest!: Buffer;

  /** Which SECRET_KEY it was made with; null before that was noted. */
  @Column('text', { name: 'key_id', nullable: true })
  keyId!: string | null;
}
