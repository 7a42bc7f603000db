import { isIPv6 } from 'node:net';
import { ipAddress, ipv6Groups } from '../config/ip-address.js';

/** Whom an address belongs to: an IPv6 customer has a whole /64, and would otherwise have 2^64 tries. */
export function networkOf(text: string): string {
  const address = ipAddress(text) ?? '';
  if (!isIPv6(address)) return address;
  const prefix = ipv6Groups(address).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}
