import type { OperatorIssuer } from '../../auth/oauth/operator-issuer.js';
import type { IssuedToken } from '../../auth/tokens/issued-token.js';
import { facts, type Answer } from '../answer.js';
import { Refusal, WrongUsage } from '../refusal.js';

export interface IssueOptions {
  readonly user?: string;
  readonly client?: string;
  readonly scope?: string;
  readonly format?: 'opaque' | 'jwt';
}

const BAD_SCOPE = 'The scope is malformed, or more than was granted: see "keks user list".';

/** The operator issues a token for somebody else. */
export async function issue(options: IssueOptions): Promise<Answer> {
  if ((options.user === undefined) === (options.client === undefined))
    throw new WrongUsage('Say for whom: either --user or --client.');
  if (options.client !== undefined && options.format !== undefined)
    throw new WrongUsage('--format is for people; the format of a client is set with "keks client add".');
  const issued = await withIssuer((issuer) => issueTo(issuer, options));
  if (!issued)
    throw new Refusal('not_found', 'There is nobody of this name or id, or the account is disabled.');
  const { token, expiresIn, scope, refresh } = issued;
  const json = {
    token,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope,
    ...(refresh ? { refresh_token: refresh.token, refresh_expires_in: refresh.expiresIn } : {}),
  };
  return { json, text: facts(Object.entries(json).map(([name, value]) => [name, String(value)])) };
}

function issueTo(
  issuer: OperatorIssuer,
  { user, client, scope, format }: IssueOptions,
): Promise<IssuedToken | undefined> {
  return user === undefined ? issuer.toClient(client ?? '', scope) : issuer.toUser(user, { scope, format });
}

/** @throws Refusal if the token cannot be issued */
async function withIssuer<T>(work: (issuer: OperatorIssuer) => Promise<T>): Promise<T> {
  const [{ withServices }, { OperatorIssuer }, { WireError }] = await Promise.all([
    import('../services.js'),
    import('../../auth/oauth/operator-issuer.js'),
    import('../../http/errors/wire-error.js'),
  ]);
  try {
    return await withServices((services) => work(services.get(OperatorIssuer)));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { error_description: said } = error.getResponse() as { error_description: string };
    throw new Refusal(error.code, error.code === 'invalid_scope' ? BAD_SCOPE : said);
  }
}
