import { Inject, Injectable, Logger } from '@nestjs/common';
import { MisaddressedTokens } from 'keks-guard/internals';
import { CONFIG, type Config } from '../../config/config.js';
import type { AuthenticatedClient } from '../clients/client-authentication.js';
import { maySee } from '../clients/may-see.js';
import { LastUse } from '../grants/last-use.js';
import { actClaim } from '../tokens/act-claim.js';
import { TokenCheck } from '../tokens/token-check.js';
import { TokenLookup, type DescribedToken } from '../tokens/token-lookup.js';
import { TokenReader } from '../tokens/token-reader.js';
import type { IntrospectionAnswer } from './oauth.schemas.js';
import type { ReadToken, Refusal } from '../tokens/read-token.js';

/** The whole answer for a dead token, and for a token that the caller may not see. */
const INACTIVE: IntrospectionAnswer = { active: false };

/** A token and what the database says of it, or why it is dead. */
export type Sighting = Seen | { readonly refused: Refusal };

interface Seen {
  readonly read: ReadToken;
  readonly stored: DescribedToken;
}

/** RFC 7662: tells what a token means, to clients that may know it. */
@Injectable()
export class Introspection {
  private readonly logger = new Logger('introspection');
  private readonly misaddressed = new MisaddressedTokens((line) => this.logger.warn(line));

  constructor(
    private readonly reader: TokenReader,
    private readonly lookup: TokenLookup,
    private readonly check: TokenCheck,
    private readonly lastUse: LastUse,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What Keks knows of a token, whoever asks. It is not an answer to the caller. @throws Unavailable */
  async look(token: string): Promise<Sighting> {
    const read = await this.reader.read(token);
    if ('refused' in read) return read;
    if (read.kind === 'client_secret') return { refused: 'wrong_kind' };
    const stored = await this.lookup.describe(read, read.kind);
    const refused = this.check.refusal(read, stored);
    return !stored || refused ? { refused: refused ?? 'unknown' } : { read, stored };
  }

  /** What `caller` may know of the token. */
  tell(seen: Sighting, caller: AuthenticatedClient): IntrospectionAnswer {
    if ('refused' in seen) return this.inactive(seen.refused);
    const { read, stored } = seen;
    if (!this.sees(seen, caller)) return this.inactive('wrong_audience');
    this.check.judged('active');
    this.lastUse.note(stored.principal.grantId);
    return this.describe(read, stored);
  }

  /** Whether the token was issued to `caller`, or is meant for it. */
  sees({ read: { kind }, stored }: Seen, caller: AuthenticatedClient): boolean {
    const { clientId, audience } = stored.principal;
    if (maySee(caller, { kind, clientId, audience })) return true;
    // the caller gets the answer for a dead token (RFC 7662 §2.2), so the log tells the operator the reason
    if (kind !== 'refresh') this.misaddressed.note(audience, caller.audience, ` (client ${caller.clientId})`);
    return false;
  }

  private inactive(reason: Refusal): IntrospectionAnswer {
    this.check.judged(reason);
    return INACTIVE;
  }

  private describe(read: ReadToken, { principal, username, issuedAt }: DescribedToken): IntrospectionAnswer {
    const { jkt, actors } = principal;
    return {
      active: true,
      scope: principal.scope.join(' '),
      client_id: principal.clientId,
      ...(username === null ? {} : { username }),
      ...(read.kind === 'refresh' ? {} : { token_type: jkt === undefined ? 'Bearer' : 'DPoP' }),
      exp: principal.expiresAt,
      iat: issuedAt,
      sub: principal.subject,
      aud: principal.audience[0] ?? this.config.AUDIENCE,
      iss: this.config.ISSUER,
      jti: read.jti ?? principal.tokenId,
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
      ...(actors && { act: actClaim(actors) }),
    };
  }
}
