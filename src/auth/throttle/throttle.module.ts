import { Module } from '@nestjs/common';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { AttemptCounters } from './attempt-counters.js';
import { ClientThrottle } from './client-throttle.js';
import { DeviceProofs } from './device-proofs.js';
import { LoginThrottle } from './login-throttle.js';
import { RegistrationThrottle } from './registration-throttle.js';
import { UserCodeThrottle } from './user-code-throttle.js';

/** Owns who may try again, and when; never whether a password or a secret is right. */
@Module({
  imports: [TelemetryModule],
  providers: [
    AttemptCounters,
    ClientThrottle,
    DeviceProofs,
    LoginThrottle,
    RegistrationThrottle,
    UserCodeThrottle,
  ],
  exports: [ClientThrottle, DeviceProofs, LoginThrottle, RegistrationThrottle, UserCodeThrottle],
})
export class ThrottleModule {}
