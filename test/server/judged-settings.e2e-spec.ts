import { describe, expect, it } from 'vitest';
import { keks, only } from '../support/keks.js';
import { launch } from '../support/process.js';

/** Settings that would run and be unsafe, or end in an error of the program; a line of each says what to do. */
const UNSAFE = {
  DATABASE_URL: 'postgresql://keks:hunter2@127.0.0.1:1/keks',
  ISSUER: 'https://auth.example.com',
  HOST: '0.0.0.0',
  TLS_CERT: 'cert.pem',
  TLS_KEY: 'key.pem',
  OPS_PORT: '9000',
  SECRET_KEY: 'changeme'.repeat(6),
};

interface Report {
  readonly checks: readonly { readonly check: string; readonly status: string; readonly message: string }[];
}

describe('settings that nobody should run with', () => {
  it.each(['nonsense', '0.0.0.0/0', '10.0.0.1, ::/0'])(
    'are told all at once, by the server and by keks doctor alike: TRUST_PROXY=%s',
    async (TRUST_PROXY) => {
      const environment = { ...UNSAFE, TRUST_PROXY };
      const server = launch(environment);
      const [code, doctor] = await Promise.all([server.ended, keks(environment, ['doctor', '--json'])]);
      const lines = server.output().trim().split('\n');
      const told = (only(doctor.stdout) as Report).checks
        .filter(({ check, status }) => check === 'configuration' && status === 'fail')
        .map(({ message }) => message);
      expect([code, doctor.code]).toEqual([1, 1]);
      expect(lines).toEqual([
        expect.stringMatching(/^SECRET_KEY can be guessed: .*openssl rand -hex 32/),
        expect.stringMatching(/^TRUST_PROXY must be .*your proxies/),
        expect.stringMatching(/^OPS_PORT would serve Swagger UI.*ALLOW_HTTP=true/),
      ]);
      expect(told).toEqual(lines);
    },
  );
});
