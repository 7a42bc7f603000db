import { Injectable } from '@nestjs/common';
import { lookup } from 'node:dns/promises';
import { isPublicAddress } from './public-address.js';

/**
 * Whom Keks may ask when a stranger names an address. No setting changes it: only a test, which serves on loopback, puts others
 * in its place.
 */
@Injectable()
export class OutboundRules {
  /** Certificates that are trusted; undefined for those of the system. */
  ca: string | undefined;

  /** Milliseconds for all of it: name, connection, handshake, headers and body. */
  mostMs = 5_000;

  /** Every address of a name. */
  resolve: (host: string) => Promise<readonly string[]> = async (host) =>
    (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

  isAllowedAddress: (address: string) => boolean = isPublicAddress;

  /** HTTPS has one; another one is somebody's service that is not meant for everybody. */
  isAllowedPort: (port: number) => boolean = (port) => port === 443;

  /** @param address where the connection goes */
  isAllowedProtocol: (protocol: string, address: string) => boolean = (protocol) => protocol === 'https:';
}
