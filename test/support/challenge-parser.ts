/** One challenge of a `WWW-Authenticate` field (RFC 9110 §11.3). The names of parameters are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly token68?: string;
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=$|,)/y;
const AUTH_PARAM_AHEAD = /[!#$%&'*+.^_`|~0-9A-Za-z-]+=(?!=*(?:$|,))/y;
const QUOTED_STRING = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y;
const COMMA = /,[ \t]+/y;

/**
 * Reads what a sender may write by RFC 9110 §11.6.1, and not a byte more: nothing of what a lenient recipient would
 * forgive (empty list elements, space around `=`, single quotes, a parameter twice). npm has no parser that refuses those.
 */
export function parseChallenges(field: string): Challenge[] {
  const challenges: Challenge[] = [];
  const reader = new Reader(field);
  do challenges.push(readChallenge(reader));
  while (reader.take(COMMA));
  if (!reader.atEnd) reader.fail('a comma or the end');
  return challenges;
}

function readChallenge(reader: Reader): Challenge {
  const scheme = reader.want(TOKEN, 'a scheme');
  const params = new Map<string, string>();
  if (reader.atEnd || reader.sees(COMMA)) return { scheme, params };
  reader.want(/ +/y, 'a space after the scheme');
  if (!reader.sees(AUTH_PARAM_AHEAD)) {
    return { scheme, token68: reader.want(TOKEN68, 'a parameter or token68'), params };
  }
  do readParameter(reader, params);
  while (reader.takeIfThen(COMMA, AUTH_PARAM_AHEAD));
  return { scheme, params };
}

function readParameter(reader: Reader, params: Map<string, string>): void {
  const name = reader.want(TOKEN, 'the name of a parameter').toLowerCase();
  reader.want(/=/y, '"=" without space around it');
  const quoted = reader.take(QUOTED_STRING);
  if (params.has(name)) reader.fail(`${name} once only (RFC 9110 §11.2)`);
  if (!quoted && name === 'realm') reader.fail('realm as a quoted-string (RFC 9110 §11.5)');
  params.set(name, quoted ? (quoted[1] ?? '').replace(/\\(.)/gs, '$1') : reader.want(TOKEN, 'a value'));
}

/** RFC 6750 §3: what may stand in these three, escapes included. */
const BEARER_VALUES: Readonly<Record<string, RegExp>> = {
  scope: /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
  error: /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/,
  error_description: /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/,
};

/** The one Bearer challenge of an answer; throws if there is any other, or none, or one that RFC 6750 §3 forbids. */
export function bearerChallenge(field: string | null): Record<string, string> {
  const [challenge, ...others] = parseChallenges(field ?? '');
  if (challenge?.scheme !== 'Bearer' || others.length > 0)
    throw new Error(`not one Bearer challenge: ${field}`);
  if (challenge.params.size === 0)
    throw new Error('a Bearer challenge has one parameter at least (RFC 6750 §3)');
  for (const [name, allowed] of Object.entries(BEARER_VALUES)) {
    const value = challenge.params.get(name);
    if (value !== undefined && !allowed.test(value)) throw new Error(`RFC 6750 §3 forbids ${name}: ${value}`);
  }
  return Object.fromEntries(challenge.params);
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at === this.text.length;
  }

  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at += match[0].length;
    return match;
  }

  takeIfThen(pattern: RegExp, next: RegExp): boolean {
    const before = this.at;
    if (this.take(pattern) && this.sees(next)) return true;
    this.at = before;
    return false;
  }

  want(pattern: RegExp, what: string): string {
    return this.take(pattern)?.[0] ?? this.fail(what);
  }

  fail(wanted: string): never {
    throw new Error(`at ${this.at} of ${JSON.stringify(this.text)}: wanted ${wanted}`);
  }
}
