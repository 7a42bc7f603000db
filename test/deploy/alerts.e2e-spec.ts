import { execFile, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacking, part } from '../support/parts.js';
import { get, post, startTestApp, type TestApp } from '../support/test-app.js';

const PROMTOOL = part('promtool', 'PROMTOOL');
if (PROMTOOL === undefined) lacking('promtool', 'PROMTOOL');

const promtool = (...args: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(PROMTOOL ?? '', args, { cwd: 'deploy/prometheus' });

describe.skipIf(!PROMTOOL)('by Prometheus itself', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp();
    await keks.addUser('Ann', 'keks:metrics');
  });
  afterAll(() => keks.close());

  it('the rules are right', async () => {
    const { stdout } = await promtool('check', 'rules', 'alerts.yaml');
    expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
  });

  it('alarms come when they should, and not before', async () => {
    await promtool('test', 'rules', '../../test/deploy/alerts.test.yaml');
  });

  it('the metrics are spelled as they should be', async () => {
    await post(keks.url, '/validate', { token: 'x' });
    const token = await keks.login('Ann', 'keks:metrics');
    const { body } = await get(keks.url, '/metrics', token);
    const child = spawn(PROMTOOL ?? '', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(String(body));
    const said = ((await text(child.stderr)) + (await text(child.stdout))).trimEnd().split('\n');
    // three of prom-client's own have names from a time with other rules
    expect(said.filter((line) => !/^nodejs_active_\w+_total non-counter/.test(line))).toEqual([]);
  });
});
