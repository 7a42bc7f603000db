import { Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

/**
 * What a client said when it registered itself, beyond what every client has, and the token that manages the
 * registration.
 */
@Entity('client_registrations')
@Unique('client_registrations_digest_key', ['digest'])
export class ClientRegistration {
  @PrimaryColumn('text', { name: 'client_id', primaryKeyConstraintName: 'client_registrations_pkey' })
  @ForeignKey('clients', 'clientId', {
    name: 'client_registrations_client_id_fkey',
    onDelete: 'CASCADE',
  })
  clientId!: string;

  @Column('bytea')
  digest!: Buffer;

  @Column('text', { name: 'auth_method' })
  authMethod!: string;

  @Column('text', { name: 'grant_types', array: true })
  grantTypes!: string[];
}
