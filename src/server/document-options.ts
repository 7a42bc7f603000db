import { ACCOUNT_SCOPE } from '../auth/scope.js';
import type { Config } from '../config/config.js';
import type { DocumentOptions } from '../http/openapi/openapi.js';
import { VERSION } from '../version.js';

/** With OPS_PORT, the document has another port than the API that it describes. */
export function documentOptions({ ISSUER: issuer, OPS_PORT }: Config): DocumentOptions {
  const options = { issuer, version: VERSION, personalScope: ACCOUNT_SCOPE };
  return OPS_PORT === undefined ? options : { ...options, apart: true };
}
