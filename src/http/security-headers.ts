import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';

const YEAR_SECONDS = 31_536_000;

/** A page of ours shares no window with another site's: that one would see where it goes, and could send it elsewhere. */
export const PAGE_ISOLATION = { 'cross-origin-opener-policy': 'same-origin' } as const;

/**
 * What every answer says to browsers, by helmet, worked out once: its Fastify plugin builds all of it anew for each
 * request. A page that people look at brings a policy of its own.
 * @param https true where clients come by HTTPS, here or at a proxy: then they are told to stay there (RFC 6797)
 * @param includeSubDomains on all hosts below this one as well, which only their owner can say
 */
export function securityHeaders(https: boolean, includeSubDomains = false): Readonly<Record<string, string>> {
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: https ? { maxAge: YEAR_SECONDS, includeSubDomains } : false,
    referrerPolicy: { policy: 'no-referrer' },
    // these are for pages, and say nothing about JSON
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
