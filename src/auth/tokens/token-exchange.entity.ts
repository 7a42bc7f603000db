import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * Of an access token that was made from another one (RFC 8693): what it dies with beside its grant. Of each list the newest
 * comes first. Its row in `access_tokens` has nobody's id for a person, so that it is looked up with this one.
 */
@Entity('token_exchanges')
@Index('token_exchanges_expires_at_idx', ['expiresAt'])
@Index('token_exchanges_sources_idx', ['sources'], { type: 'gin' })
@Index('token_exchanges_actor_grants_idx', ['actorGrants'], { type: 'gin' })
export class TokenExchange {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'token_exchanges_pkey' })
  digest!: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** The `sub` of all of them. */
  @Column('text')
  subject!: string;

  /** Whether it is a JWT, of which guards have to be told. */
  @Column('boolean')
  signed!: boolean;

  /** The clients that act. */
  @Column('text', { array: true })
  actors!: string[];

  /** The standing grants that they had when they began to. */
  @Column('uuid', { name: 'actor_grants', array: true })
  actorGrants!: string[];

  /** The tokens that it was made from. */
  @Column('bytea', { array: true })
  sources!: Buffer[];

  @Column('timestamptz', { name: 'source_expires', array: true })
  sourceExpires!: Date[];
}
