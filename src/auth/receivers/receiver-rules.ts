import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { OutboundRules } from '../outbound/outbound-rules.js';
import { isPrivateAddress, isPublicAddress } from '../outbound/public-address.js';

/**
 * Whom Keks may tell: an administrator has named the address, so any port will do. Private addresses, and with them plain HTTP,
 * only if whoever runs Keks has said so.
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
