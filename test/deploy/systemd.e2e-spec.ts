import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacking, part } from '../support/parts.js';

const ANALYZE = part('systemd-analyze', 'SYSTEMD_ANALYZE');
if (ANALYZE === undefined) lacking('systemd-analyze', 'SYSTEMD_ANALYZE');

/** The unit with programs and folders that are there: of others systemd would say that they are missing. */
const UNIT = readFileSync('deploy/systemd/keks.service', 'utf8')
  .replaceAll('/usr/bin/node', process.execPath)
  .replaceAll('/opt/keks', process.cwd());

describe.skipIf(!ANALYZE)('deploy/systemd, by systemd itself', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keks-systemd-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function verified(unit: string): { status: number | null; said: string } {
    const file = join(folder, 'keks.service');
    writeFileSync(file, unit);
    const { status, stdout, stderr } = spawnSync(ANALYZE ?? '', ['verify', '--man=no', file], {
      encoding: 'utf8',
    });
    return {
      status,
      said: (stdout + stderr)
        .split('\n')
        .filter((line) => line.includes('keks.service'))
        .join('\n'),
    };
  }

  it('is a unit without a fault', () => {
    expect(verified(UNIT)).toEqual({ status: 0, said: '' });
  });

  it.each([
    ['ProtectSystem=strict', 'ProtectSystm=strict'],
    ['SystemCallFilter=@system-service', 'SystemCallFilter=@sistem-service'],
    ['TimeoutStopSec=35', 'TimeoutStopSec=long'],
  ])('would not be with %s mistyped', (right, wrong) => {
    expect(UNIT).toContain(right);
    expect(verified(UNIT.replace(right, wrong)).said).toMatch(/keks\.service/);
  });

  it('leaves the server little that it could do to the machine', () => {
    const file = join(folder, 'keks.service');
    writeFileSync(file, UNIT);
    // from 0, which is nothing, to 10, which is everything
    const { status, stdout } = spawnSync(
      ANALYZE ?? '',
      ['security', '--offline=yes', '--threshold=20', '--no-pager', file],
      { encoding: 'utf8' },
    );
    expect(stdout).toMatch(/Overall exposure level for keks\.service: [01]\.\d OK/);
    expect(status).toBe(0);
  });
});
