import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';

@Entity('audit_events')
@Index('audit_events_grant_id_idx', ['grantId'])
@Index('audit_events_token_id_idx', ['tokenId'])
@Index('audit_events_person_idx', ['actor', 'createdAt', 'id'], { where: `actor LIKE 'user:%'` })
@Index('audit_events_user_idx', { synchronize: false })
export class AuditEventRow {
  @PrimaryColumn('timestamptz', {
    name: 'created_at',
    default: () => 'clock_timestamp()',
    primaryKeyConstraintName: 'audit_events_pkey',
  })
  createdAt!: Date;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'audit_events_pkey' })
  @Generated('uuid')
  id!: string;

  @Column('text')
  type!: string;

  @Column('text', { nullable: true })
  actor!: string | null;

  @Column('uuid', { name: 'grant_id', nullable: true })
  grantId!: string | null;

  @Column('uuid', { name: 'token_id', nullable: true })
  tokenId!: string | null;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  @Column('jsonb', { default: {} })
  detail!: Readonly<Record<string, unknown>>;
}
