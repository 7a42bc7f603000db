import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BlockList, isIP } from 'node:net';
import { ipAddress } from '../config/ip-address.js';
import type { TrustedProxies } from '../config/trusted-proxies.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The address that attempts are counted by and that sessions are listed with. Empty if the connection has gone. */
    readonly clientAddress: string;
  }
}

/**
 * Adds `request.clientAddress`: the nearest address that does not belong to a trusted proxy. `X-Forwarded-For` is text
 * from the caller up to the address that a trusted proxy added. If a part that is read is no address, the address of
 * the socket counts. Fastify's own `request.ip` would pass on any text, so Fastify does not know of proxies.
 * `Forwarded` (RFC 7239) is not read.
 */
export function installClientAddress(instance: FastifyInstance, proxies: TrustedProxies): void {
  const trusted = trust(proxies);
  instance.decorateRequest('clientAddress', {
    getter(this: FastifyRequest) {
      return clientAddress(this, trusted);
    },
  });
}

/** @param passed the number of hops between this server and the address */
type Trust = (address: string, passed: number) => boolean;

function clientAddress({ raw, headers }: FastifyRequest, trusted: Trust): string {
  const socket = ipAddress(raw.socket.remoteAddress ?? '') ?? '';
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
  let address = socket;
  let end = forwarded.length;
  for (let passed = 0; end > 0 && trusted(address, passed); passed += 1) {
    const comma = forwarded.lastIndexOf(',', end - 1);
    const part = ipAddress(forwarded.slice(comma + 1, end));
    if (part === undefined) return socket;
    address = part;
    end = comma;
  }
  return address;
}

/** One list for each family, because a block list also compares an IPv4 address with IPv6 networks. */
function trust(proxies: TrustedProxies): Trust {
  if (typeof proxies === 'number') return (_, passed) => passed < proxies;
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { address, prefix, family } of proxies) lists[family].addSubnet(address, prefix, family);
  return (address) =>
    proxies.length > 0 &&
    (isIP(address) === 4 ? lists.ipv4.check(address, 'ipv4') : lists.ipv6.check(address, 'ipv6'));
}
