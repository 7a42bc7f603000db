import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/certificate.js';
import { PROXIES } from './support/proxies.js';

/** As they stand in the repository, with their lines about TLS: only the certificate is another one. What runs in `rolling-restart` has none. */
describe('examples of proxies, by the proxies themselves', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keks-proxies-'));
    const { cert, key } = await selfSigned();
    writeFileSync(join(folder, 'fullchain.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key);
    writeFileSync(join(folder, 'both.pem'), `${cert}\n${key}`);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function example(file: string, ...changes: readonly (readonly [string, string])[]): string {
    return changes.reduce(
      (text, [from, to]) => {
        expect(text).toContain(from);
        return text.replaceAll(from, to);
      },
      readFileSync(file, 'utf8'),
    );
  }

  /** @returns what it complains of; nothing if it takes it */
  function complaint(
    program: string | undefined,
    args: readonly string[],
    env: Record<string, string> = {},
  ): string {
    const { status, stdout, stderr } = spawnSync(program ?? '', args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, ...env },
    });
    return status === 0 ? '' : stdout + stderr;
  }

  it.skipIf(!PROXIES.nginx)('nginx', () => {
    const file = join(folder, 'nginx.conf');
    const site = example('deploy/nginx/keks.conf', ['/etc/ssl/auth.example.com', folder]);
    const check = (text: string): string => {
      writeFileSync(file, `pid ${folder}/pid; events {} http { access_log off; ${text} }`);
      return complaint(PROXIES.nginx, ['-t', '-q', '-c', file, '-p', folder, '-e', join(folder, 'log')]);
    };
    expect(check(site)).toBe('');
    expect(check(site.replace('proxy_next_upstream_tries', 'proxy_next_upstream_trys'))).toMatch(
      /unknown directive/,
    );
  });

  it.skipIf(!PROXIES.haproxy)('HAProxy', () => {
    const file = join(folder, 'haproxy.cfg');
    const whole = example('deploy/haproxy/haproxy.cfg', [
      '/etc/haproxy/auth.example.com.pem',
      join(folder, 'both.pem'),
    ]);
    const check = (text: string): string => {
      writeFileSync(file, text);
      return complaint(PROXIES.haproxy, ['-c', '-f', file]);
    };
    expect(check(whole)).toBe('');
    expect(check(whole.replace('alpn h2', 'alpm h2'))).toMatch(/alpm/);
  });

  it.skipIf(!PROXIES.caddy).each([
    ['Caddyfile', { DOMAIN: 'auth.example.com' }],
    ['deploy/caddy/Caddyfile', {}],
  ])('Caddy: %s', (name, env) => {
    const check = (file: string): string =>
      complaint(PROXIES.caddy, ['validate', '--adapter', 'caddyfile', '--config', file], env);
    expect(check(resolve(name))).toBe('');
    const wrong = join(folder, 'Caddyfile');
    writeFileSync(wrong, example(name, ['lb_try_interval', 'lb_try_intervall']));
    expect(check(wrong)).toMatch(/lb_try_intervall/);
  });
});
