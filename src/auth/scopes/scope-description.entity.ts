import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a scope allows, in words for the people who are asked to give it. */
@Entity('scope_descriptions')
export class ScopeDescription {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'scope_descriptions_pkey' })
  scope!: string;

  @Column('text')
  description!: string;
}
