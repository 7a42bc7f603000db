/** What the authority itself uses of the guard besides the doors. Nobody else should use it: it can change with any version. */
export { BEARER_ERRORS, WANTS_DPOP } from './bearer-answer.js';
export { bearerToken, type RawRequest } from './bearer-header.js';
export { isPlainAddress } from './dpop-address.js';
export { PROOF_FLAWS } from './dpop-flaws.js';
export { DPOP_ALGORITHMS } from './dpop-key.js';
export { LocalProofMemory } from './dpop-memory.js';
export { isSamePlace, MisaddressedTokens } from './misaddressed.js';
export { OnceASecond } from './once-a-second.js';
export { PRINCIPAL, REQUIRED_SCOPE, type GrantedPrincipal } from './principal.js';
export { routeWords, type RouteWords } from './route-words.js';
