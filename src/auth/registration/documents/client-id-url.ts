/**
 * Whether a client's name is the address of its metadata: HTTPS with a path, without user, fragment and dot segments,
 * spelled exactly as browsers normalise it (draft-ietf-oauth-client-id-metadata-document §3).
 */
export function isClientIdUrl(text: string): boolean {
  if (!/^https:\/\/[!-~]{1,240}$/.test(text) || !URL.canParse(text)) return false;
  const { href, pathname, hash, username, password } = new URL(text);
  const plain = hash === '' && username === '' && password === '' && !text.includes('#');
  return plain && pathname !== '/' && href === text;
}
