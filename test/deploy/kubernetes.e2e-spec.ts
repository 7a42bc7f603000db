import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lacking, part } from '../support/parts.js';

const VALIDATOR = part('kubernetes-validate', 'KUBERNETES_VALIDATE');
if (VALIDATOR === undefined)
  lacking('kubernetes-validate', 'KUBERNETES_VALIDATE', 'pip install kubernetes-validate');

const FOLDER = 'deploy/kubernetes';
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));

function validated(version: string, files: readonly string[]): { status: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(VALIDATOR ?? '', ['--strict', '-k', version, ...files], {
    encoding: 'utf8',
  });
  return { status, lines: (stdout + stderr).trimEnd().split('\n') };
}

describe.skipIf(!VALIDATOR)('deploy/kubernetes, by the schemas of Kubernetes', () => {
  it.each(['1.30', '1.37'])('is right for %s', (version) => {
    const { status, lines } = validated(version, FILES);
    expect(lines.filter((line) => !line.startsWith('INFO'))).toEqual([
      // what others define: the operator of Prometheus, and kubectl itself
      expect.stringMatching(/^WARN .*kustomization\.yaml Couldn't find schema/),
      expect.stringMatching(/^WARN .*service-monitor\.yaml Couldn't find schema/),
    ]);
    expect(status).toBe(0);
    expect(lines.length).toBeGreaterThanOrEqual(FILES.length);
  });

  it('would not be with a word that Kubernetes does not know', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keks-kubernetes-'));
    const file = join(folder, 'deployment.yaml');
    const right = readFileSync(join(FOLDER, 'deployment.yaml'), 'utf8');
    writeFileSync(file, right.replace('readinessProbe:', 'readynessProbe:'));
    const { status, lines } = validated('1.37', [file]);
    rmSync(folder, { recursive: true });
    expect(status).not.toBe(0);
    expect(lines.join('\n')).toMatch(/readynessProbe/);
  });
});
