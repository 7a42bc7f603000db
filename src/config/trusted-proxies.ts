import { isIP } from 'node:net';
import { ipAddress } from './ip-address.js';

export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Names that Fastify and Express have for networks. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};
/** A wider network is not one of proxies but the whole world, in which everybody could claim any address. */
const WIDEST = { ipv4: 8, ipv6: 16 };
const PRIVATE = ['fe80::/10', 'fc00::/7', 'fd00::/8'];
const MAPPED = 96;

/** Nobody has more proxies in a row; a larger number is part of an address. */
const HOPS_MOST = 16;

const USAGE =
  'must be addresses or networks of your proxies such as 10.1.2.3 or 10.1.0.0/16, or loopback, linklocal or uniquelocal, ' +
  `separated by commas; or how many of your proxies a request passes, from 1 to ${HOPS_MOST}`;

/** Which addresses belong to proxies; or how many proxies a request has passed, whatever their addresses. */
export type TrustedProxies = readonly Network[] | number;

/** `10.1.0.0/16, ::1`, or `2`. An address inside of IPv6 is the IPv4 one that it means. */
export function trustedProxies(text: string): TrustedProxies {
  if (/^\d+$/.test(text)) {
    const hops = Number(text);
    if (hops < 1 || hops > HOPS_MOST) throw new Error(USAGE);
    return hops;
  }
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .flatMap((part) => NAMED[part] ?? [part]);
  return Object.freeze(parts.map(network));
}

function network(text: string): Network {
  const [, written = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = isIP(written) === 0 ? undefined : ipAddress(written);
  if (address === undefined) throw new Error(USAGE);
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const inside = family === 'ipv4' && isIP(written) === 6 ? MAPPED : 0;
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = digits === undefined ? longest : Number(digits) - inside;
  if (prefix > longest) throw new Error(USAGE);
  if (prefix < WIDEST[family] && !PRIVATE.includes(text.toLowerCase()))
    throw new Error(
      `must be no wider than /${WIDEST.ipv4} (IPv4) or /${WIDEST.ipv6} (IPv6), because everybody in it may claim any address: name your proxies`,
    );
  return Object.freeze({ address, prefix, family });
}

/** For people: what was understood. */
export function describeProxies(proxies: TrustedProxies): string {
  if (typeof proxies === 'number') {
    const last = proxies === 1 ? 'address is' : `${proxies} addresses are`;
    return `X-Forwarded-For: the last ${last} believed, whoever sends them`;
  }
  const networks = proxies.map(({ address, prefix }) => `${address}/${prefix}`);
  return `X-Forwarded-For is believed from ${networks.join(', ')}`;
}
