/** What the headers of a request say about a bearer token. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

/** The part of Node's request that is read, the same under Express and Fastify. */
export interface RawRequest {
  readonly rawHeaders: readonly string[];
  readonly url?: string | undefined;
  readonly headers: { readonly traceparent?: string };
}

const NONE: Presented = { kind: 'none' };
const MALFORMED: Presented = { kind: 'malformed' };

/** RFC 6750 §2.1 and RFC 9110 §11.1: a scheme in any case, one or more spaces, `b64token`, nothing more. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const OTHER_SCHEME = /^(?!bearer(?: |$))[!#$%&'*+.^_`|~\w-]+(?: |$)/i;

/** Reads the token from the header and from nowhere else. The raw lines show a repeated one, which Node hides. */
export function bearerToken(request: RawRequest): Presented {
  const { rawHeaders } = request;
  let header: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name === undefined || name.length !== 13 || name.toLowerCase() !== 'authorization') continue;
    if (header !== undefined) return MALFORMED;
    header = rawHeaders[at + 1] ?? '';
  }
  if (header === undefined) return NONE;
  const match = BEARER.exec(header);
  if (!match?.[1]) return OTHER_SCHEME.test(header) ? NONE : MALFORMED;
  return carriesTokenInQuery(request.url) ? MALFORMED : { kind: 'token', token: match[1] };
}

/** RFC 6750 §2: a request must not use more than one method. A token in the query alone is simply not seen. */
function carriesTokenInQuery(url = ''): boolean {
  return url.includes('access_token=') && /[?&]access_token=/.test(url);
}
