import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { BearerErrorFilter } from './bearer-error.js';
import { BearerGuard } from './bearer.guard.js';
import { DpopRoutes } from './dpop-routes.js';
import { DpopVerifier, type DpopOptions } from './dpop-verifier.js';
import { dpopVerifier, GUARD_OPTIONS, type GuardOptions } from './guard-options.js';
import { resourceController, resourceMetadataAddress, type ResourceOptions } from './resource-metadata.js';
import { TokenValidator } from './token-validator.js';

/**
 * With `resource` the API serves its own metadata (RFC 9728), challenges name the address of the metadata, and tokens must be for
 * this API.
 */
export interface GuardModuleOptions extends GuardOptions, Partial<ResourceOptions> {
  /** A validator, or a provider of a validator. The dependencies of the provider come from `imports`. */
  readonly validator: TokenValidator | ProviderRecipe;
  /**
   * For tokens that are bound to a key (RFC 9449): options, or a provider of a DpopVerifier. Its dependencies come from
   * `imports`.
   */
  readonly dpop?: DpopOptions | ProviderRecipe<DpopVerifier>;
  readonly imports?: ModuleMetadata['imports'];
}

/** A Nest provider without its token. */
export type ProviderRecipe<T = TokenValidator> = DistributiveOmit<
  Exclude<Provider<T>, abstract new (...args: never[]) => unknown>,
  'provide'
>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * The module that an API installs: a global guard that closes every route without `@Public()`, and the challenges of RFC 6750. It
 * imports nothing from the authority.
 */
@Module({})
export class GuardModule {
  /** @throws TypeError for a `resource` that is no address, or that comes without `authorizationServers` */
  static forRoot({
    validator,
    imports,
    resource,
    authorizationServers,
    scopes,
    dpop,
    ...given
  }: GuardModuleOptions): DynamicModule {
    if (resource !== undefined && !authorizationServers?.length)
      throw new TypeError('an API with a resource names its authorizationServers');
    const options: GuardOptions =
      resource === undefined
        ? given
        : { audience: resource, resourceMetadata: resourceMetadataAddress(resource).href, ...given };
    const proofs = dpop && isRecipe(dpop) ? dpop : dpopVerifier(dpop, resource, options.audience);
    const recipe = validator instanceof TokenValidator ? { useValue: validator } : validator;
    return {
      module: GuardModule,
      imports: imports ?? [],
      controllers:
        resource !== undefined && authorizationServers
          ? [
              resourceController(
                { resource, authorizationServers, ...(scopes && { scopes }) },
                proofs instanceof DpopVerifier ? proofs : undefined,
              ),
            ]
          : [],
      providers: [
        { provide: GUARD_OPTIONS, useValue: options },
        { provide: TokenValidator, ...recipe } as Provider,
        ...(proofs ? [providerOf(proofs)] : []),
        DpopRoutes,
        { provide: APP_GUARD, useClass: BearerGuard },
        { provide: APP_FILTER, useClass: BearerErrorFilter },
      ],
      exports: [TokenValidator],
    };
  }
}

function isRecipe(dpop: DpopOptions | ProviderRecipe<DpopVerifier>): dpop is ProviderRecipe<DpopVerifier> {
  return ['useExisting', 'useFactory', 'useClass', 'useValue'].some((way) => way in dpop);
}

function providerOf(proofs: DpopVerifier | ProviderRecipe<DpopVerifier>): Provider {
  const recipe = proofs instanceof DpopVerifier ? { useValue: proofs } : proofs;
  return { provide: DpopVerifier, ...recipe } as Provider;
}
