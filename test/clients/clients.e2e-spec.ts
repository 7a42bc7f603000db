import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, request, startTestApp, type TestApp } from '../support/test-app.js';
import {
  fromNpm,
  GO,
  JAVA,
  MAVEN,
  oapiCodegen,
  openapiGenerator,
  PYTHON,
  pythonClient,
  run,
} from './support/tools.js';

const PROGRAMS = resolve(import.meta.dirname, 'programs');
const ROOT = resolve(import.meta.dirname, '../..');
const [go = '', java = '', maven = '', python = ''] = [GO, JAVA, MAVEN, PYTHON];

let keks: TestApp;
/** Outside of this repository, whose packages a generated client must not find by chance. */
let folder: string;
let document: string;
let story: string[];

beforeAll(async () => {
  keks = await startTestApp();
  await keks.addUser('Ann');
  folder = await mkdtemp(join(tmpdir(), 'keks-clients-'));
  document = join(folder, 'openapi.json');
  const { body } = await request(keks.url, '/docs-json', {});
  await writeFile(document, JSON.stringify(body));
  story = [keks.url, 'Ann', PASSWORD];
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await keks.close();
});

/** A folder of its own, with a program that uses the client beside it. */
async function place(name: string, program: string, as: string): Promise<string> {
  const made = join(folder, name);
  await mkdir(made);
  await copyFile(join(PROGRAMS, program), join(made, as));
  return made;
}

/** Compiles the client and the story that uses it, then tells it. */
async function tellInGo(cwd: string): Promise<void> {
  await run(go, ['mod', 'tidy'], { cwd });
  await run(go, ['vet', './...'], { cwd });
  await run(go, ['run', '.', ...story], { cwd });
}

const GO_MODULE = 'module example.com/story\n\ngo 1.24\n';

describe('the document', () => {
  it('lints without an error or a warning by the recommended rules of Redocly', async () => {
    const redocly = await fromNpm('@redocly/cli', 'redocly');
    const said = await run(redocly, ['lint', '--extends=recommended', '--format=json', document], {
      cwd: folder,
      env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    const { totals } = JSON.parse(said.slice(said.indexOf('{\n'), said.lastIndexOf('\n}') + 2)) as {
      totals: object;
    };
    expect(totals).toMatchObject({ errors: 0, warnings: 0 });
  });
});

describe('a generated client compiles and tells the story', () => {
  it('of openapi-typescript', async () => {
    const cwd = await place('typescript', 'story.ts.txt', 'story.ts');
    await run(await fromNpm('openapi-typescript', 'openapi-typescript'), [document, '-o', 'keks.d.ts'], {
      cwd,
    });
    await writeFile(join(cwd, 'package.json'), '{ "type": "module" }');
    await symlink(join(ROOT, 'node_modules'), join(cwd, 'node_modules'));
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    await run(join(ROOT, 'node_modules/.bin/tsc'), [...options, 'story.ts'], { cwd });
    await run(process.execPath, ['story.js', ...story], { cwd });
  });

  it.skipIf(!PYTHON)('of openapi-python-client', async () => {
    const bin = await pythonClient(python);
    const cwd = await place('python', 'story.py', 'story.py');
    const said = await run(
      join(bin, 'openapi-python-client'),
      ['generate', '--path', document, '--meta', 'none', '--output-path', 'keks', '--fail-on-warning'],
      { cwd, env: { PATH: `${bin}:${process.env['PATH']}` } },
    );
    expect(said).not.toMatch(/warning|error/i);
    await run(join(bin, 'python'), ['story.py', ...story], { cwd });
  });

  it.skipIf(!GO)('of oapi-codegen', async () => {
    const tool = await oapiCodegen(go);
    const cwd = await place('oapi-codegen', 'oapi-codegen.go', 'main.go');
    await mkdir(join(cwd, 'keks'));
    await writeFile(join(cwd, 'go.mod'), GO_MODULE);
    await run(tool, ['-generate', 'types,client', '-package', 'keks', '-o', 'keks/keks.go', document], {
      cwd,
    });
    await tellInGo(cwd);
  });

  it.skipIf(!GO || !JAVA || !MAVEN)('of openapi-generator, for Go', async () => {
    const jar = await openapiGenerator(maven);
    const cwd = await place('openapi-generator', 'openapi-generator.go', 'main.go');
    await writeFile(join(cwd, 'go.mod'), GO_MODULE);
    await run(
      java,
      [
        ...['-jar', jar, 'generate', '-g', 'go', '-i', document, '-o', 'keks'],
        ...['--additional-properties=packageName=keks,withGoMod=false', '--global-property=apiTests=false'],
      ],
      { cwd },
    );
    // its own tests want another package
    await rm(join(cwd, 'keks/test'), { recursive: true, force: true });
    await tellInGo(cwd);
  });
});
