import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkSettings, loadConfig } from '../../src/config/config.js';
import { cpuQuota } from '../../src/config/cpu-quota.js';
import { workersFor } from '../../src/config/parsers.js';

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const OTHER = KEY.toUpperCase().replaceAll('0', '5');
const folder = mkdtempSync(join(tmpdir(), 'keks-container-'));
let made = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, `secret-${(made += 1)}`);
  writeFileSync(path, text);
  return path;
}

describe('secrets in files', () => {
  const environment = (more: Record<string, string>) => ({ ISSUER: 'https://auth.example.com', ...more });
  const url = 'postgresql://keks:hunter2@db.example/keks?sslmode=verify-full';

  it.each(['', '\n', '\r\n'])('are the same as in the environment, with %j at the end', (end) => {
    const config = loadConfig(
      environment({
        DATABASE_URL_FILE: file(url + end),
        SECRET_KEY_FILE: file(KEY + end),
        SECRET_KEY_PREVIOUS_FILE: file(`${OTHER}\n${KEY}${end}`),
      }),
    );
    expect(config).toMatchObject({
      embedded: false,
      DATABASE_URL: url,
      SECRET_KEY: Buffer.from(KEY, 'hex'),
      SECRET_KEY_PREVIOUS: [Buffer.from(OTHER, 'hex'), Buffer.from(KEY, 'hex')],
    });
  });

  it.each([
    ['is not there', { SECRET_KEY_FILE: join(folder, 'none') }, /^SECRET_KEY_FILE cannot be read \(ENOENT\)/],
    ['is a folder', { SECRET_KEY_FILE: folder }, /^SECRET_KEY_FILE cannot be read \(EISDIR\)/],
    ['is empty', { SECRET_KEY_FILE: file('\n') }, /^SECRET_KEY_FILE is empty/],
    ['has a bad value', { SECRET_KEY_FILE: file('hunter2') }, /^SECRET_KEY must have 32 bytes/],
    [
      'stands beside a value',
      { SECRET_KEY: KEY, SECRET_KEY_FILE: file(KEY) },
      /^SECRET_KEY and SECRET_KEY_FILE/,
    ],
  ])('one line if the file %s, without a word of it', (_, more, line) => {
    const { problems } = checkSettings(environment({ DATABASE_URL: url, ...more }));
    expect(problems).toEqual([expect.stringMatching(line)]);
    expect(problems.join()).not.toMatch(/hunter2|001122/);
  });

  it('a database that cannot be read does not become an embedded one', () => {
    const { embedded, problems } = checkSettings(
      environment({ DATABASE_URL_FILE: join(folder, 'none'), SECRET_KEY: KEY }),
    );
    expect([embedded, problems]).toEqual([
      false,
      [expect.stringMatching(/^DATABASE_URL_FILE cannot be read \(ENOENT\)/)],
    ]);
  });
});

describe('WORKERS=auto', () => {
  function machine(files: Record<string, string>): string {
    const root = join(folder, `root-${(made += 1)}`);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return root;
  }

  it.each([
    ['nothing is known', {}, Infinity],
    [
      'version 2 in a container',
      { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '150000 100000\n' },
      1.5,
    ],
    [
      'version 2 without a limit',
      { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' },
      Infinity,
    ],
    [
      'version 2, the limit of a group above',
      {
        'proc/self/cgroup': '0::/system.slice/keks.service\n',
        'sys/fs/cgroup/system.slice/cpu.max': '200000 100000\n',
        'sys/fs/cgroup/system.slice/keks.service/cpu.max': 'max 100000\n',
      },
      2,
    ],
    [
      'version 1 in a container, which does not see its own path',
      {
        'proc/self/cgroup': '5:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      3,
    ],
    [
      'version 1 without a limit',
      {
        'proc/self/cgroup': '4:cpu:/\n0::/\n',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      Infinity,
    ],
  ])('%s', (_, files, quota) => expect(cpuQuota(machine(files))).toBe(quota));

  it('is never more than the quota, nor than the CPUs, and one at least', () => {
    expect([1.5, 0.2, 4, 8, Infinity].map((quota) => workersFor(4, quota))).toEqual([1, 1, 4, 4, 4]);
    expect(workersFor(512, Infinity)).toBe(64);
  });
});
