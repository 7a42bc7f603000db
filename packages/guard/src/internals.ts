/** What the authority itself takes of the guard beside its doors. Nobody else should: it changes with any version. */
export { BEARER_ERRORS } from './bearer-error.js';
export { bearerToken, type RawRequest } from './bearer-header.js';
export { OnceASecond } from './once-a-second.js';
export { PRINCIPAL, REQUIRED_SCOPE, type GrantedPrincipal } from './principal.js';
