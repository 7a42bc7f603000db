import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readFileSync } from 'node:fs';
import { createSecureContext, type Server } from 'node:tls';
import type { Config } from '../config/config.js';
import { TLS_SUITES } from '../http/tls-suites.js';
import { StartRefusal } from '../config/start-refusal.js';

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate and its key, if HTTPS is configured. @throws StartRefusal if they are not usable */
export function certificate({ TLS_CERT, TLS_KEY }: Config): Certificate | undefined {
  if (!TLS_CERT || !TLS_KEY) return undefined;
  const found = { cert: pem(TLS_CERT), key: pem(TLS_KEY) };
  try {
    createSecureContext(found);
  } catch {
    throw new StartRefusal('TLS_CERT and TLS_KEY are not a PEM certificate and its own key: correct them.');
  }
  return found;
}

/**
 * Reads the certificate again for new connections; open connections keep the old one.
 * @throws StartRefusal, and the old certificate stays in use
 */
export function renewCertificate(app: NestFastifyApplication, config: Config): void {
  const fresh = certificate(config);
  if (fresh) (app.getHttpServer() as unknown as Server).setSecureContext({ ...fresh, ...TLS_SUITES });
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new StartRefusal(
      `${file} cannot be read: correct TLS_CERT and TLS_KEY, or give this user the right to read them.`,
    );
  }
}
