import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * For an access token that was made from another token (RFC 8693): everything besides its grant whose end kills the
 * token. In each list the newest element comes first. The token's row in `access_tokens` has the user id NOBODY, so
 * each look-up reads this row too.
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

  /** The `sub` of the token and of all its sources. */
  @Column('text')
  subject!: string;

  /** Whether the token is a JWT. Guards must be told of the end of a JWT. */
  @Column('boolean')
  signed!: boolean;

  /** The clients that act for the subject. */
  @Column('text', { array: true })
  actors!: string[];

  /** For each actor, its standing grant when its token was made. */
  @Column('uuid', { name: 'actor_grants', array: true })
  actorGrants!: string[];

  /** The digests of the tokens that this token was made from. */
  @Column('bytea', { array: true })
  sources!: Buffer[];

  @Column('timestamptz', { name: 'source_expires', array: true })
  sourceExpires!: Date[];
}
