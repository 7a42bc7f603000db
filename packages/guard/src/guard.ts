/**
 * The door of the package: what `keks/guard` is, and so what changes with a major version only. The adapters have doors of
 * their own, `keks/guard/remote` and `keks/guard/jwt`, so that an API loads what it uses.
 */
export { BearerError, type BearerErrorCode, type Challenge } from './bearer-error.js';
export { GuardModule, type GuardModuleOptions, type ProviderRecipe } from './guard.module.js';
export { type GuardOptions } from './guard-options.js';
export { NoVerdict, type NoVerdictCode } from './no-verdict.js';
export { CurrentPrincipal, Public, RequireScope, type Principal } from './principal.js';
export { TokenValidator, type RefusalReason, type Validation } from './token-validator.js';
