import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** Until when a metadata document that was read counts, for all instances. */
@Entity('client_documents')
export class ClientDocument {
  @PrimaryColumn('text', { name: 'client_id', primaryKeyConstraintName: 'client_documents_pkey' })
  @ForeignKey('clients', 'clientId', { name: 'client_documents_client_id_fkey', onDelete: 'CASCADE' })
  clientId!: string;

  @Column('timestamptz', { name: 'fresh_until' })
  freshUntil!: Date;
}
