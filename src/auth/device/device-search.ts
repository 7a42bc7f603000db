import { Injectable } from '@nestjs/common';
import { Refusals } from '../audit/refusals.js';
import type { RequestOrigin } from '../request-origin.js';
import { UserCodeThrottle } from '../throttle/user-code-throttle.js';
import type { User } from '../users/user.entity.js';
import { DeviceRequests, type WaitingDevice } from './device-requests.js';
import { readUserCode } from './user-codes.js';

export interface FoundDevice {
  readonly device: WaitingDevice;
  readonly code: string;
}

/** Owns that nobody finds a device by trying codes (RFC 8628 §5.1). */
@Injectable()
export class DeviceSearch {
  constructor(
    private readonly throttle: UserCodeThrottle,
    private readonly requests: DeviceRequests,
    private readonly refusals: Refusals,
  ) {}

  /** @throws WireError too_many_requests; Unavailable */
  async tryCode(typed: string, user: User, origin: RequestOrigin): Promise<FoundDevice | undefined> {
    await this.throttle.admit(user.id, origin.ip);
    const found = await this.again(typed);
    if (found) return found;
    await this.refusals.note({ type: 'user_code.refused', actor: `user:${user.name}`, origin }, 'unknown');
    return undefined;
  }

  /** Finds a code again without the throttle: this browser was already shown a page for it. @throws Unavailable */
  async again(text: string): Promise<FoundDevice | undefined> {
    const code = readUserCode(text);
    const device = code === undefined ? undefined : await this.requests.find(code);
    return code === undefined || !device ? undefined : { code, device };
  }
}
