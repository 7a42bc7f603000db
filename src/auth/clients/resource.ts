import { isGrantable } from '../scope.js';

/** An API that a client may ask tokens for, and what of its scope they may carry. */
export interface Resource {
  readonly uri: string;
  /** Undefined: all that the client may. */
  readonly scope: readonly string[] | undefined;
}

/** Written as the URI, and after it, each after a space, the scopes: neither has a space in it (RFC 3986, RFC 6749 §3.3). */
export function resourceOf(text: string): Resource {
  const [uri = '', ...scope] = text.split(' ');
  return { uri, scope: scope.length > 0 ? scope : undefined };
}

/** RFC 8707 §2: an absolute URI without a fragment. */
export function isResourceUri(text: string): boolean {
  return text.length <= 1_000 && /^[!-~]+$/.test(text) && URL.canParse(text) && !text.includes('#');
}

/** Each API once, and no scope that a client cannot have. */
export function areResources(texts: readonly string[]): boolean {
  const resources = texts.map(resourceOf);
  const uris = new Set(resources.map(({ uri }) => uri));
  return (
    uris.size === texts.length &&
    texts.every((text) => text.length <= 2_000) &&
    resources.every(({ uri, scope = [] }) => isResourceUri(uri) && scope.every(isGrantable))
  );
}
