// `npm run start:dev`: builds what changes and starts Keks anew. While the types do not hold, the last that did runs on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const environment = existsSync('.env') ? ['--env-file=.env'] : [];
const program = ['--enable-source-maps', ...environment, 'dist/src/main.js'];
let running;
let isStopping = false;
let restarting = Promise.resolve();

/** It drains and closes its database first: two would want the same port and data directory. SIGTERM would wait for load balancers. */
async function restart() {
  await ended('SIGINT');
  if (!isStopping) running = spawn(process.execPath, program, { stdio: 'inherit' });
}

function ended(signal) {
  if (!running || running.exitCode !== null || running.signalCode !== null) return;
  return new Promise((resolve) => {
    running.once('exit', resolve);
    running.kill(signal);
  });
}

function onStatus(diagnostic, newLine) {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, newLine);
  process.stderr.write(`${text}\n`);
  if (text.startsWith('Found 0 errors')) restarting = restarting.then(restart);
}

const host = ts.createSolutionBuilderWithWatchHost(
  ts.sys,
  ts.createEmitAndSemanticDiagnosticsBuilderProgram,
  undefined,
  undefined,
  onStatus,
);
const watcher = ts.createSolutionBuilderWithWatch(host, ['tsconfig.build.json'], {});

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    isStopping = true;
    watcher.close();
    await restarting;
    await ended(signal);
    process.exit(0);
  });

watcher.build();
