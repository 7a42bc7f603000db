import { Check, Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

@Entity('clients')
@Unique('clients_client_id_key', ['clientId'])
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

  @Column('text', { name: 'token_format' })
  tokenFormat!: 'opaque' | 'jwt';

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;
}
