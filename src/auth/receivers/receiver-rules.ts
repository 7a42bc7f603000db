import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { OutboundRules } from '../outbound/outbound-rules.js';
import { isPrivateAddress, isPublicAddress } from '../outbound/public-address.js';

/**
 * The addresses that Keks may send events to. An administrator has named them, so any port is allowed. Private
 * addresses, and plain HTTP to them, are allowed only with RECEIVERS_PRIVATE_ADDRESSES.
 */
@Injectable()
export class ReceiverRules extends OutboundRules {
  constructor(@Inject(CONFIG) config: Pick<Config, 'RECEIVERS_PRIVATE_ADDRESSES'>) {
    super();
    const within = config.RECEIVERS_PRIVATE_ADDRESSES;
    this.isAllowedAddress = (address) => isPublicAddress(address) || (within && isPrivateAddress(address));
    this.isAllowedPort = () => true;
    this.isAllowedProtocol = (protocol, address) =>
      protocol === 'https:' || (protocol === 'http:' && within && isPrivateAddress(address));
  }
}
