import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { BearerErrorFilter } from './bearer-error.js';
import { BearerGuard } from './bearer.guard.js';
import { GUARD_OPTIONS, type GuardOptions } from './guard-options.js';
import { TokenValidator } from './token-validator.js';

export interface GuardModuleOptions extends GuardOptions {
  /** A validator, or a provider of one whose dependencies come from `imports`. */
  readonly validator: TokenValidator | ProviderRecipe;
  readonly imports?: ModuleMetadata['imports'];
}

/** A Nest provider without its token, which is always `TokenValidator`. */
export type ProviderRecipe = DistributiveOmit<
  Exclude<Provider<TokenValidator>, abstract new (...args: never[]) => unknown>,
  'provide'
>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * What any API installs: a global guard that closes every route without `@Public()`, and the challenges of RFC 6750.
 * It imports nothing of the authority.
 */
@Module({})
export class GuardModule {
  static forRoot({ validator, imports, ...options }: GuardModuleOptions): DynamicModule {
    const recipe = validator instanceof TokenValidator ? { useValue: validator } : validator;
    return {
      module: GuardModule,
      imports: imports ?? [],
      providers: [
        { provide: GUARD_OPTIONS, useValue: options },
        { provide: TokenValidator, ...recipe } as Provider,
        { provide: APP_GUARD, useClass: BearerGuard },
        { provide: APP_FILTER, useClass: BearerErrorFilter },
      ],
      exports: [TokenValidator],
    };
  }
}
