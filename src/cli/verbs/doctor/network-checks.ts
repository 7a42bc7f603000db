import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../../config/config.js';
import { describeProxies } from '../../../config/trusted-proxies.js';
import { fail, ok, warn, type Finding } from './finding.js';

const DAY_MS = 86_400_000;
const RENEW_MS = 14 * DAY_MS;

type Network = Pick<Config, 'TLS_CERT' | 'TLS_KEY' | 'TRUST_PROXY'> & {
  readonly ISSUER?: string | undefined;
};

/** Whether clients can reach the issuer by HTTPS, as far as that can be seen from here. */
export function checkNetwork(config: Network, now: number): Finding[] {
  const { TLS_CERT, TLS_KEY, ISSUER } = config;
  const issuer = ISSUER === undefined ? undefined : new URL(ISSUER);
  const certificate = TLS_CERT && TLS_KEY ? checkCertificate(TLS_CERT, TLS_KEY, issuer, now) : [];
  return [
    ...(issuer ? [checkIssuer(issuer, config)] : []),
    ...(config.TRUST_PROXY ? [ok('proxies', describeProxies(config.TRUST_PROXY))] : []),
    ...certificate,
  ];
}

function checkIssuer(issuer: URL, { TLS_CERT, TRUST_PROXY }: Network): Finding {
  const served = Boolean(TLS_CERT);
  if (issuer.protocol === 'http:') {
    if (served)
      return fail(
        'issuer',
        `${issuer.origin} says http and Keks serves HTTPS`,
        'correct ISSUER: it must say https',
      );
    return isLoopback(issuer)
      ? ok('issuer', `${issuer.origin}, this machine only`)
      : warn(
          'issuer',
          `${issuer.origin} is plain HTTP: whoever listens on the way has the tokens`,
          'use https',
        );
  }
  if (served || TRUST_PROXY) return ok('issuer', issuer.origin);
  return warn(
    'issuer',
    `${issuer.origin} says https, and neither Keks nor a trusted proxy serves it`,
    'set TLS_CERT and TLS_KEY, or TRUST_PROXY to the address of your TLS proxy',
  );
}

function checkCertificate(
  certFile: string,
  keyFile: string,
  issuer: URL | undefined,
  now: number,
): Finding[] {
  const certificate = read(certFile, (pem) => new X509Certificate(pem));
  if (!certificate)
    return [fail('certificate', `${certFile} holds no certificate that can be read`, 'correct TLS_CERT')];
  const key = read(keyFile, (pem) => createPrivateKey(pem));
  if (!key)
    return [fail('certificate', `${keyFile} holds no private key that can be read`, 'correct TLS_KEY')];
  if (!certificate.checkPrivateKey(key))
    return [fail('certificate', 'TLS_KEY is not the key of TLS_CERT', 'set the two that belong together')];
  const left = new Date(certificate.validTo).getTime() - now;
  if (left <= 0) return [fail('certificate', `expired on ${certificate.validTo}`, 'renew it')];
  if (new Date(certificate.validFrom).getTime() > now)
    return [fail('certificate', `valid only from ${certificate.validFrom}`, 'check the clock, or wait')];
  if (issuer && !covers(certificate, issuer))
    return [fail('certificate', `is not for ${issuer.hostname}`, 'get one for the host of ISSUER')];
  if (left < RENEW_MS) return [warn('certificate', `expires on ${certificate.validTo}`, 'renew it soon')];
  return [ok('certificate', `valid until ${certificate.validTo}`)];
}

function covers(certificate: X509Certificate, { hostname }: URL): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return (certificate.checkHost(bare) ?? certificate.checkIP(bare)) !== undefined;
}

function read<T>(file: string, parse: (pem: Buffer) => T): T | undefined {
  try {
    return parse(readFileSync(file));
  } catch {
    return undefined;
  }
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
