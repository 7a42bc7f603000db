#!/usr/bin/env node
import { run } from './cli/program.js';

/** The operator's verbs: what concerns the process and nothing else. */

// `keks ... | head` is no fault: what the reader did not want is not written
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// the code and not the end of the event loop decides: pools and timers may linger for a while
void run(process.argv.slice(2)).then((code) => process.exit(code));
