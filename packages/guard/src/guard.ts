/**
 * The door of the package: everything that `keks/guard` exports, so it changes with a major version only. The adapters have doors
 * of their own, `keks/guard/remote` and `keks/guard/jwt`, so that an API loads only what it uses.
 */
export { BearerError } from './bearer-error.js';
export type { BearerErrorCode, Challenge, DpopChallenge } from './bearer-answer.js';
export type { ProofFlaw } from './dpop-flaws.js';
export { ProofMemory } from './dpop-memory.js';
export type { NonceOptions } from './dpop-nonces.js';
export { DpopVerifier, type DpopOptions, type ProofVerdict, type ProvenRequest } from './dpop-verifier.js';
export { GuardModule, type GuardModuleOptions, type ProviderRecipe } from './guard.module.js';
export { type GuardOptions } from './guard-options.js';
export type { Misaddressed } from './misaddressed.js';
export { NoVerdict, type NoVerdictCode } from './no-verdict.js';
export { CurrentPrincipal, Public, RequireDpop, RequireScope, type Principal } from './principal.js';
export { TokenValidator, type RefusalReason, type Validation } from './token-validator.js';
