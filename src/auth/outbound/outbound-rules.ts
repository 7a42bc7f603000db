import { Injectable } from '@nestjs/common';
import { lookup } from 'node:dns/promises';
import { isPublicAddress } from './public-address.js';

/**
 * The addresses that Keks may ask when a stranger names them. No setting changes these rules. Only a test, which serves
 * on loopback, replaces them.
 */
@Injectable()
export class OutboundRules {
  /** The trusted certificates; undefined for those of the system. */
  ca: string | undefined;

  /** Milliseconds for the whole request: name, connection, handshake, headers and body. */
  mostMs = 5_000;

  /** Every address of a name. */
  resolve: (host: string) => Promise<readonly string[]> = async (host) =>
    (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

  isAllowedAddress: (address: string) => boolean = isPublicAddress;

  /** The port of HTTPS. A service on another port is not meant for everybody. */
  isAllowedPort: (port: number) => boolean = (port) => port === 443;

  /** @param address where the connection goes */
  isAllowedProtocol: (protocol: string, address: string) => boolean = (protocol) => protocol === 'https:';
}
