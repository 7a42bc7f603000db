import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';

const YEAR_SECONDS = 31_536_000;

/** Our pages share no window with another site: that site could see where the window goes, and send it elsewhere. */
export const PAGE_ISOLATION = { 'cross-origin-opener-policy': 'same-origin' } as const;

/**
 * The security headers of every answer, by helmet. Computed once: the Fastify plugin of helmet builds them anew for
 * each request. Pages for people set their own policy.
 * @param https true if clients come by HTTPS, to this server or to a proxy: the header then tells them to stay there
 * (RFC 6797)
 * @param includeSubDomains on all hosts below this one as well; only their owner can decide that
 */
export function securityHeaders(https: boolean, includeSubDomains = false): Readonly<Record<string, string>> {
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: https ? { maxAge: YEAR_SECONDS, includeSubDomains } : false,
    referrerPolicy: { policy: 'no-referrer' },
    // these headers are for pages and mean nothing for JSON
    crossOriginEmbedderPolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  middleware({} as IncomingMessage, response as unknown as ServerResponse, () => undefined);
  return headers;
}
