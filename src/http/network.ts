import { isIPv6 } from 'node:net';
import { ipAddress, ipv6Groups } from '../config/ip-address.js';

/**
 * The network that attempts are counted by: an IPv4 address itself, or the /64 of an IPv6 address. A customer with IPv6
 * has a whole /64, and would otherwise have 2^64 attempts.
 */
export function networkOf(text: string): string {
  const address = ipAddress(text) ?? '';
  if (!isIPv6(address)) return address;
  const prefix = ipv6Groups(address).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}
