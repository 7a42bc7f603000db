import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkSettings } from '../../src/config/config.js';
import { SETTINGS } from '../../src/config/settings.js';
import { CONNECTIONS_MOST } from '../../src/database/pools.js';

type Tree = { readonly [name: string]: Tree } & readonly Tree[];
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Tree;
  readonly data: Record<string, string>;
  readonly stringData: Record<string, string>;
}

const FOLDER = 'deploy/kubernetes';
const SECRET_KEY = '6b656b736521206c65636b657221206b656b736521206c65636b657221206b6b';

function documents(file: string): Resource[] {
  return parseAllDocuments(readFileSync(`${FOLDER}/${file}`, 'utf8'), { uniqueKeys: true }).map((one) => {
    expect([one.errors, one.warnings], file).toEqual([[], []]);
    return one.toJS() as Resource;
  });
}

const files = readdirSync(FOLDER).filter((file) => file !== 'kustomization.yaml');
const resources = files.flatMap(documents);
const dockerfile = readFileSync('Dockerfile', 'utf8');

function only(kind: string, name?: string): Resource {
  const found = resources.filter(
    (one) => one.kind === kind && (name ?? one.metadata.name) === one.metadata.name,
  );
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0] as Resource;
}

const podOf = (resource: Resource) =>
  (resource.spec as unknown as { template: { spec: Pod; metadata: object } }).template.spec;

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
  readonly containers: readonly {
    readonly command?: readonly string[];
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
  }[];
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

describe('deploy/kubernetes', () => {
  const server = podOf(only('Deployment'));
  const [keks] = server.containers;
  const settings = only('ConfigMap').data;

  it('lists each file that is there, but for the example of the secret', () => {
    const [kustomization] = documents('kustomization.yaml') as unknown as { resources: string[] }[];
    expect([...(kustomization?.resources ?? []), 'secret.example.yaml'].sort()).toEqual(files.sort());
  });

  it('starts with the settings that it gives', () => {
    const { stringData } = only('Secret', 'keks-secrets');
    const url = stringData['DATABASE_URL']?.replace(/&sslrootcert=.*/, '') ?? '';
    for (const name of [...Object.keys(settings), ...Object.keys(stringData)])
      expect(SETTINGS).toHaveProperty(name);
    const environment = { HOST: '0.0.0.0', ...settings, DATABASE_URL: url, SECRET_KEY };
    expect(dockerfile).toContain('HOST=0.0.0.0');
    expect(checkSettings(environment).problems).toEqual([]);
  });

  it.each(['Deployment', 'Job'])('%s: reads each secret from a file that is mounted', (kind) => {
    const pod = podOf(only(kind));
    const [container] = pod.containers;
    expect(container?.envFrom).toEqual([{ configMapRef: { name: only('ConfigMap').metadata.name } }]);
    const names = Object.keys(only('Secret', 'keks-secrets').stringData);
    expect(container?.env.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual(
      names.sort().map((name) => ({ name: `${name}_FILE`, value: `/run/keks/${name}` })),
    );
    expect(container?.volumeMounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
    expect(pod.volumes[0]?.secret.secretName).toBe('keks-secrets');
    const user = /^USER (\d+):\d+$/m.exec(dockerfile);
    expect(Number(user?.[1]), 'runAsNonRoot takes a number').toBeGreaterThan(0);
  });

  it('has ports, probes and times that fit the program', () => {
    const { settings: read } = checkSettings({ ...settings });
    expect(keks?.ports).toEqual([
      { name: 'http', containerPort: read.PORT },
      { name: 'ops', containerPort: read.OPS_PORT },
    ]);
    expect(
      [keks?.startupProbe, keks?.livenessProbe, keks?.readinessProbe].map((probe) => probe?.httpGet),
    ).toEqual([
      { path: '/health/live', port: 'http' },
      { path: '/health/live', port: 'http' },
      { path: '/health/ready', port: 'http' },
    ]);
    expect(server.terminationGracePeriodSeconds).toBeGreaterThan((read.SHUTDOWN_DELAY ?? 5) + 25);
    const named = new Set(keks?.ports.map(({ name }) => name));
    const text = files.map((file) => readFileSync(`${FOLDER}/${file}`, 'utf8')).join('\n');
    for (const [, name = ''] of text.matchAll(/\b(?:targetPort|port): ([a-z]\w*)$/gm))
      expect(named).toContain(name);
    expect(text).toContain(`up to ${CONNECTIONS_MOST} connections`);
  });

  it('selects the pods of the server, and nothing else', () => {
    const labels = { 'app.kubernetes.io/name': 'keks', 'app.kubernetes.io/component': 'server' };
    const { selector, template } = only('Deployment').spec as unknown as Record<string, { metadata: object }>;
    expect([selector, template?.metadata]).toEqual([{ matchLabels: labels }, { labels }]);
    expect(only('PodDisruptionBudget').spec['selector']).toEqual({ matchLabels: labels });
    for (const name of ['keks', 'keks-ops']) expect(only('Service', name).spec['selector']).toEqual(labels);
    expect(only('HorizontalPodAutoscaler').spec['scaleTargetRef']).toMatchObject({
      kind: 'Deployment',
      name: 'keks',
    });
    expect(only('ServiceMonitor').spec['selector']).toEqual({
      matchLabels: { 'app.kubernetes.io/component': 'ops' },
    });
  });
});

describe('deploy/systemd', () => {
  const unit = readFileSync('deploy/systemd/keks.service', 'utf8');
  const valuesOf = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

  it('runs what the image runs, and waits for it to finish', () => {
    const command = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '') as string[];
    expect(valuesOf('ExecStart')).toEqual([`/usr/bin/${command.join(' ')}`]);
    expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(30);
  });

  it('hands over each secret as a file that is loaded for it', () => {
    const loaded = valuesOf('LoadCredential').map((value) => value.split(':')[0]);
    const given = valuesOf('Environment').flatMap(
      (value) => /^(\w+)_FILE=%d\/(.*)$/.exec(value)?.slice(1) ?? [],
    );
    expect(given).toEqual(['DATABASE_URL', 'database-url', 'SECRET_KEY', 'secret-key']);
    expect(loaded).toEqual(['database-url', 'secret-key']);
  });

  it('has sections and lines of a unit file only', () => {
    for (const line of unit.split('\n').filter((one) => one !== '' && !one.startsWith('#')))
      expect(line).toMatch(/^(?:\[(?:Unit|Service|Install)\]|[A-Z]\w+=.*)$/);
  });
});
