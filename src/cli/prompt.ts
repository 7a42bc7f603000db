import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { Refusal } from './refusal.js';

/**
 * Asks for a secret; for a new one twice, because the typing is not shown. The questions go to standard error, so that
 * standard output has only the answer of the verb.
 * @param what for the question, e.g. "the password"
 * @throws Refusal
 */
export async function promptForSecret(what: string, twice = true): Promise<string> {
  const echo = new Writable({ write: (_chunk, _encoding, done) => done() });
  // with a history, the arrow keys would show the secret again
  const terminal = createInterface({ input: process.stdin, output: echo, terminal: true, historySize: 0 });
  try {
    const secret = await ask(terminal, `Type ${what}: `);
    if (secret === '') throw new Refusal('invalid_request', `Nothing was typed: ${what} was expected.`);
    // a terminal without line editing passes on the keys that were typed to correct
    if (/\p{Cc}/u.test(secret))
      throw new Refusal('invalid_request', 'A key was typed that is no character: nothing was done.');
    if (twice && (await ask(terminal, 'And again: ')) !== secret)
      throw new Refusal('invalid_request', 'The two are not the same: nothing was done.');
    return secret;
  } finally {
    terminal.close();
  }
}

function ask(terminal: Interface, question: string): Promise<string> {
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      terminal.off('line', onLine).off('close', onClose).off('SIGINT', onInterrupt);
      process.stderr.write('\n');
      act();
    };
    const onLine = (line: string): void => settle(() => resolve(line))();
    const onClose = settle(() =>
      reject(new Refusal('invalid_request', 'It was not typed: nothing was done.')),
    );
    // in this mode the terminal sends no signal, so this ends the process as the signal would
    const onInterrupt = settle(() => {
      terminal.close();
      process.kill(process.pid, 'SIGINT');
    });
    terminal.on('line', onLine).on('close', onClose).on('SIGINT', onInterrupt);
  });
}
