import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../../config/config.js';
import { ClientsModule } from '../clients/clients.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { ClientRegistration } from './client-registration.entity.js';
import { InitialAccessTokensModule } from './initial-access-tokens.module.js';
import { RegistrationController } from './registration.controller.js';
import { Registrations } from './registrations.js';

/** Owns that clients register themselves; never what people then let them do. */
@Module({
  imports: [
    ClientsModule,
    InitialAccessTokensModule,
    ThrottleModule,
    TypeOrmModule.forFeature([ClientRegistration]),
  ],
  providers: [Registrations],
})
export class RegistrationModule {
  /** If registration is switched off, nothing answers at its address. */
  static of({ REGISTRATION }: Config): DynamicModule {
    return {
      module: RegistrationModule,
      controllers: REGISTRATION === 'off' ? [] : [RegistrationController],
    };
  }
}
