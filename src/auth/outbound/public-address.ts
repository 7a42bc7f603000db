import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Addresses that are not public: this host, its network, reserved and documentation ranges (RFC 6890, IANA's
 * registries).
 */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Not public in the assigned range (2000::/3): protocols, documentation, and addresses with an IPv4 address inside. */
const SPECIAL_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of SPECIAL_IPV4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of SPECIAL_IPV6) special.addSubnet(network, bits, 'ipv6');
const givenOut = new BlockList();
givenOut.addSubnet('2000::', 3, 'ipv6');

/** Whether anybody on the internet can reach the same host at this address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  return isIPv6(address) && givenOut.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/**
 * Addresses of private networks and of this host. Link-local addresses, where clouds serve a machine's metadata, and
 * reserved ranges are not among them.
 */
const OWN_IPV4: readonly (readonly [string, number])[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
];

const own = new BlockList();
for (const [network, bits] of OWN_IPV4) own.addSubnet(network, bits, 'ipv4');
own.addAddress('::1', 'ipv6');
own.addSubnet('fc00::', 7, 'ipv6');
/** Private addresses at which clouds give a machine its credentials. */
const credentials = new BlockList();
credentials.addAddress('fd00:ec2::254', 'ipv6');
credentials.addAddress('fd20:ce::254', 'ipv6');
credentials.addAddress('100.100.100.200', 'ipv4');

/** Whether this is an address of a private network or of this host, and no cloud gives out credentials at it. */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return own.check(address, 'ipv4') && !credentials.check(address, 'ipv4');
  return isIPv6(address) && own.check(address, 'ipv6') && !credentials.check(address, 'ipv6');
}
