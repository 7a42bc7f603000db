import {
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import { BearerErrorFilter } from './bearer-error.js';
import { BearerGuard } from './bearer.guard.js';
import { DpopVerifier, type DpopOptions } from './dpop-verifier.js';
import {
  checkOptions,
  dpopVerifier,
  GUARD_OPTIONS,
  isValidator,
  type GuardOptions,
} from './guard-options.js';
import { ResourceMetadata, resourceMetadataAddress, type ResourceOptions } from './resource-metadata.js';
import { RouteChecks } from './route-checks.js';
import { scopeTokens } from './scope-tokens.js';
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
  /** @throws TypeError where it was imported without `forRoot`: it would guard nothing */
  constructor(@Optional() @Inject(GUARD_OPTIONS) options?: GuardOptions) {
    if (!options)
      throw new TypeError(
        'Import GuardModule.forRoot({ realm, validator }) and not GuardModule alone: that would guard nothing.',
      );
  }

  /** @throws TypeError, RangeError for options that cannot be meant */
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
    checkOptions(given);
    scopeTokens('scopes', scopes ?? []);
    const options: GuardOptions =
      resource === undefined
        ? given
        : {
            ...given,
            audience: given.audience ?? resource,
            resourceMetadata: given.resourceMetadata ?? resourceMetadataAddress(resource).href,
          };
    const proofs =
      dpop && isRecipe<DpopVerifier>(dpop) ? dpop : dpopVerifier(dpop, resource, options.audience);
    const recipe = isValidator(validator) ? { useValue: validator } : validator;
    if (!isRecipe(recipe))
      throw new TypeError(
        'validator must be a TokenValidator, an object with the method validate, or a provider of one: useFactory, useClass or useExisting.',
      );
    return {
      module: GuardModule,
      imports: imports ?? [],
      providers: [
        { provide: GUARD_OPTIONS, useValue: options },
        { provide: TokenValidator, ...recipe } as Provider,
        ...(proofs ? [providerOf(proofs)] : []),
        RouteChecks,
        ...(resource !== undefined && authorizationServers
          ? [metadataOf({ resource, authorizationServers, ...(scopes && { scopes }) }, proofs)]
          : []),
        { provide: APP_GUARD, useClass: BearerGuard },
        { provide: APP_FILTER, useClass: BearerErrorFilter },
      ],
      exports: [TokenValidator],
    };
  }
}

function isRecipe<T>(given: object | undefined): given is ProviderRecipe<T> {
  return ['useExisting', 'useFactory', 'useClass', 'useValue'].some(
    (way) => (given as Record<string, unknown> | undefined)?.[way] !== undefined,
  );
}

function providerOf(proofs: DpopVerifier | ProviderRecipe<DpopVerifier>): Provider {
  const recipe = proofs instanceof DpopVerifier ? { useValue: proofs } : proofs;
  return { provide: DpopVerifier, ...recipe } as Provider;
}

function metadataOf(
  options: ResourceOptions,
  proofs: DpopVerifier | ProviderRecipe<DpopVerifier> | undefined,
): Provider {
  const wanted = proofs instanceof DpopVerifier ? proofs : undefined;
  return {
    provide: ResourceMetadata,
    useFactory: (adapters: HttpAdapterHost) => new ResourceMetadata(adapters, options, wanted),
    inject: [HttpAdapterHost],
  };
}
