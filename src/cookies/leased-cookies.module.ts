import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ApiClient, LEASE_GUARD_OPTIONS, LeaseGuard, type LeaseGuardOptions } from './lease-guard.js';
import { LeasedCookiesController } from './leased-cookies.controller.js';

export interface LeasedCookiesOptions extends LeaseGuardOptions {
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  /** Which provider of `imports` knows the client as which it asks. */
  readonly client: abstract new (...args: never[]) => ApiClient;
}

/** Owns the API of the story whose guard holds a lease. Only where the story is played: it is a client of this server itself. */
@Module({})
export class LeasedCookiesModule {
  static of({ imports, client, ...options }: LeasedCookiesOptions): DynamicModule {
    return {
      module: LeasedCookiesModule,
      imports,
      controllers: [LeasedCookiesController],
      providers: [
        LeaseGuard,
        { provide: LEASE_GUARD_OPTIONS, useValue: options },
        { provide: ApiClient, useExisting: client },
      ],
    };
  }
}
