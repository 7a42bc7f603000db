import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ApiClient, LEASE_GUARD_OPTIONS, LeaseGuard, type LeaseGuardOptions } from './lease-guard.js';
import { LeasedCookiesController } from './leased-cookies.controller.js';

export interface LeasedCookiesOptions extends LeaseGuardOptions {
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  /** The provider in `imports` that holds the credentials of the guard's client. */
  readonly client: abstract new (...args: never[]) => ApiClient;
}

/**
 * Owns the API of the story whose guard holds a lease. Only for a server that shows the story: the guard is its client.
 */
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
