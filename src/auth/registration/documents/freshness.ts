const LEAST = 60;
const MOST = 86_400;
const UNSAID = 3_600;

/**
 * For how many seconds a document counts: as its headers say (RFC 9111 §5.2.2), but 60 at least and 86,400 at most;
 * 3,600 if they say nothing.
 */
export function freshFor(cacheControl: string | undefined): number {
  const said = (cacheControl ?? '').toLowerCase();
  if (/(?:^|[\s,])no-(?:store|cache)(?:[\s,=]|$)/.test(said)) return LEAST;
  const age = /(?:^|[\s,])max-age="?(\d{1,9})/.exec(said)?.[1];
  return age === undefined ? UNSAID : Math.min(MOST, Math.max(LEAST, Number(age)));
}
