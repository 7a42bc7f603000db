import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, PASSWORD, post, startTestApp, type TestApp } from '../support/test-app.js';

describe('the story', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('CookieDestroyer');
  });

  afterAll(() => keks.close());

  it('is told to the letter', async () => {
    const refused = await get(keks.url, '/cookies');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer realm="CookieFactory"/);

    const issued = await post(keks.url, '/issue', { user: 'CookieDestroyer', password: PASSWORD });
    expect(issued.status).toBe(200);
    expect(issued.body).toEqual({
      token: expect.stringMatching(/^kat_/),
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'cookies:eat keks:account',
    });
    const { token } = issued.body as { token: string };

    const eaten = await get(keks.url, '/cookies', token);
    expect(eaten.status).toBe(200);
    expect(eaten.body).toEqual(['Cookie', 'Cookie', 'Cookie']);

    const validated = await post(keks.url, '/validate', { token });
    expect(validated.status).toBe(200);
    expect(validated.body).toEqual({ active: true, expires_in: expect.any(Number) });

    const revoked = await post(keks.url, '/revoke', { token });
    expect(revoked.status).toBe(200);
    expect(revoked.body).toEqual({});

    const after = await get(keks.url, '/cookies', token);
    expect(after.status).toBe(401);
    expect(after.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="CookieFactory", error="invalid_token"/,
    );
    expect((await post(keks.url, '/validate', { token })).status).toBe(401);
  });
});
