import { onlyLine, REPEATED, type HeaderLines } from './header-line.js';

/** What the headers of a request say about a token, and which scheme the token came with. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string }
  /** RFC 9449 §7.1: a token that is bound to a key, whose owner sends a proof with it. */
  | { readonly kind: 'dpop'; readonly token: string };

/** The part of Node's request that the guard reads. It is the same under Express and Fastify. */
export interface RawRequest extends HeaderLines {
  readonly url?: string | undefined;
  readonly method?: string | undefined;
  readonly originalUrl?: unknown;
}

const NONE: Presented = { kind: 'none' };
const MALFORMED: Presented = { kind: 'malformed' };

/** RFC 6750 §2.1 and RFC 9110 §11.1: a scheme in any case, one or more spaces, `b64token`, nothing more. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
/** RFC 9449 §7.1: the same with another scheme. */
const DPOP = /^dpop +([A-Za-z0-9\-._~+/]+=*)$/i;
const OTHER_SCHEME = /^(?!(?:bearer|dpop)(?: |$))[!#$%&'*+.^_`|~\w-]+(?: |$)/i;

/** Reads the token from the header and from nowhere else. */
export function bearerToken(request: RawRequest): Presented {
  const header = onlyLine(request, 'authorization');
  if (header === undefined) return NONE;
  if (header === REPEATED) return MALFORMED;
  const match = BEARER.exec(header);
  const token = match?.[1] ?? DPOP.exec(header)?.[1];
  if (!token) return OTHER_SCHEME.test(header) ? NONE : MALFORMED;
  if (carriesTokenInQuery(request.url)) return MALFORMED;
  return { kind: match ? 'token' : 'dpop', token };
}

/** RFC 6750 §2: a request must not use more than one method. The guard ignores a token that is in the query only. */
function carriesTokenInQuery(url = ''): boolean {
  return url.includes('access_token=') && /[?&]access_token=/.test(url);
}
