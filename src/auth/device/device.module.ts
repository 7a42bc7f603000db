import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthorizeModule } from '../authorize/authorize.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { LeasesModule } from '../leases/leases.module.js';
import { ScopesModule } from '../scopes/scopes.module.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { DeviceAuthorizationController } from './device-authorization.controller.js';
import { DeviceController } from './device.controller.js';
import { DeviceDecisions } from './device-decisions.js';
import { DeviceFlow } from './device-flow.js';
import { DeviceForms } from './device-forms.js';
import { DevicePeople } from './device-people.js';
import { DeviceRequests } from './device-requests.js';
import { DeviceSearch } from './device-search.js';
import { UserCodes } from './user-codes.js';

/** Owns that a person lets a device in by the code that the device shows; never how the device redeems its own code. */
@Module({
  imports: [
    AuditModule,
    AuthorizeModule,
    ClientsModule,
    LeasesModule,
    ScopesModule,
    TelemetryModule,
    ThrottleModule,
  ],
  controllers: [DeviceAuthorizationController, DeviceController],
  providers: [
    DeviceDecisions,
    DeviceFlow,
    DeviceForms,
    DevicePeople,
    DeviceRequests,
    DeviceSearch,
    UserCodes,
  ],
})
export class DeviceModule {}
