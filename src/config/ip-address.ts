import { isIP } from 'node:net';

/** Longer than any address with brackets and port. Longer text is no address and is not parsed. */
const LONGEST = 64;
const GROUPS = 8;

/**
 * An address in the one spelling that everything here counts and keeps, however it was written: port, brackets and zone off;
 * IPv4 inside of IPv6 (RFC 4291 §2.5.5.2, RFC 6052 §2.1) as IPv4; IPv6 as RFC 5952 has it. Otherwise a caller who chooses
 * another spelling would count as somebody else at each attempt.
 */
export function ipAddress(text: string): string | undefined {
  if (text.length > LONGEST) return undefined;
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text.trim()) ?? [];
  const bare = bracketed ?? plain ?? text.trim();
  const family = isIP(bare);
  if (family === 4) return bracketed === undefined ? bare : undefined;
  if (family !== 6) return undefined;
  const canonical = new URL(`http://[${bare.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  return embeddedIPv4(ipv6Groups(canonical)) ?? canonical;
}

/** The eight groups of an IPv6 address without zone and dotted part. */
export function ipv6Groups(canonical: string): number[] {
  const [head = '', tail] = canonical.split('::');
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [left, right] = [numbers(head), numbers(tail ?? '')];
  return [...left, ...Array<number>(Math.max(0, GROUPS - left.length - right.length)).fill(0), ...right];
}

const MAPPED = [0, 0, 0, 0, 0, 0xffff];
/** RFC 6052: all of IPv4 as a translator shows it. */
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0];

function embeddedIPv4(groups: readonly number[]): string | undefined {
  const inside = [MAPPED, TRANSLATED].some((prefix) => prefix.every((group, at) => group === groups[at]));
  if (!inside) return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}
