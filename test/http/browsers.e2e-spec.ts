import { securityHeaders } from '../../src/http/security-headers.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, post, request, startTestApp, type TestApp } from '../support/test-app.js';

const ORIGIN = 'https://app.example';

describe('what every answer says to browsers', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp();
  });

  afterAll(() => keks.close());

  it.each(['/cookies', '/health/live', '/nowhere', '/docs-json', '/keys/%ff'])(
    'GET %s carries the security headers',
    async (path) => {
      const { headers } = await get(keks.url, path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
    },
  );

  it('gives the page of Swagger UI a policy of its own', async () => {
    const { headers } = await get(keks.url, '/docs');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  it('says nothing of HTTPS where there is none (RFC 6797 §7.2)', async () => {
    expect((await get(keks.url, '/cookies')).headers.get('strict-transport-security')).toBeNull();
  });

  it('lets no page of another origin read an answer', async () => {
    const { headers } = await request(keks.url, '/health/live', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers a preflight like any OPTIONS', async () => {
    const answer = await request(keks.url, '/cookies', {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('CORS_ORIGINS', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({
      CORS_ORIGINS: `${ORIGIN}, https://other.example:8443`,
      ISSUER: 'https://auth.example',
    });
  });

  afterAll(() => keks.close());

  const preflight = (path: string, origin: string) =>
    request(keks.url, path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });

  it('lets its pages ask beforehand', async () => {
    const { status, headers } = await preflight('/cookies', ORIGIN);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('access-control-allow-headers')).toMatch(/authorization/i);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toMatch(/origin/i);
  });

  it('lets its pages read answers, refusals too', async () => {
    const answer = await request(keks.url, '/cookies', { headers: { origin: ORIGIN } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/www-authenticate/i);
  });

  it('allows no other page anything', async () => {
    expect(
      (await preflight('/cookies', 'https://evil.example')).headers.get('access-control-allow-origin'),
    ).toBeNull();
    const answer = await request(keks.url, '/cookies', {
      headers: { origin: 'https://app.example.evil.example' },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('leaves OPTIONS, 404 and 405 as they are', async () => {
    const options = await request(keks.url, '/cookies', { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect((await get(keks.url, '/nowhere')).status).toBe(404);
    expect((await request(keks.url, '/nowhere', { method: 'OPTIONS' })).status).toBe(404);
    expect((await post(keks.url, '/cookies', {})).status).toBe(405);
  });

  it('says to stay with HTTPS where the issuer is (RFC 6797 §6.1)', async () => {
    const { headers } = await get(keks.url, '/cookies');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it('speaks for hosts below it only if HSTS_SUBDOMAINS says so (RFC 6797 §6.1.2)', () => {
    const hsts = (https: boolean, all: boolean) => securityHeaders(https, all)['strict-transport-security'];
    expect(hsts(true, true)).toBe('max-age=31536000; includeSubDomains');
    expect(hsts(true, false)).toBe('max-age=31536000');
    expect(hsts(false, true)).toBeUndefined();
  });
});
