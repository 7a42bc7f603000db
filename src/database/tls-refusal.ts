import { DatabaseRefusal } from './database-refusal.js';

/** Error codes of OpenSSL and Node for a certificate that is not trusted. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);
const MISNAMED = 'ERR_TLS_CERT_ALTNAME_INVALID';
const PLAIN = 'The server does not support SSL connections';

/**
 * Turns an error that waiting does not mend into a `DatabaseRefusal`. An expired certificate is not one: it may be
 * renewed.
 */
export function asTlsRefusal(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (UNTRUSTED.has(code))
    return new DatabaseRefusal(
      `The certificate of the database is not signed by anybody who is believed here (${code}): put the certificate of its authority into a file, and sslrootcert=FILE into DATABASE_URL.`,
    );
  if (code === MISNAMED)
    return new DatabaseRefusal(
      `The certificate of the database is for another host (${code}): use the name in DATABASE_URL that is in the certificate.`,
    );
  if (error.message === PLAIN)
    return new DatabaseRefusal(
      'DATABASE_URL asks for TLS, and the database speaks none: turn ssl on in PostgreSQL, or say sslmode=disable if the way there is safe.',
    );
  return error;
}
