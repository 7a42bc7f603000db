import { Option, type Command } from 'commander';
import { loadConfig } from '../../config/config.js';
import { facts, type Answer } from '../answer.js';
import { promptForSecret } from '../prompt.js';
import { WrongUsage } from '../refusal.js';
import { readSecret } from '../stdin.js';

export interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly generate?: boolean;
}

export interface NewPassword {
  readonly password: string;
  /** Whether it was generated, so that it has to be shown. */
  readonly generated: boolean;
}

/** Where a new password comes from. Without either option, the verb asks at the terminal. */
export function passwordOptions(verb: Command): Command {
  return verb
    .option('--password-stdin', 'read the password from standard input, less one line end')
    .addOption(
      new Option('--generate', 'make a strong password and print it, once').conflicts('passwordStdin'),
    );
}

/** Never from an argument, because arguments are in the shell's history and in the list of processes. @throws Refusal */
export async function newPassword({ passwordStdin, generate }: PasswordOptions): Promise<NewPassword> {
  if (passwordStdin) return { password: await readSecret('the password'), generated: false };
  if (generate) {
    const { generatePassword } = await import('../../auth/users/generated-password.js');
    return { password: generatePassword(loadConfig().PASSWORD_MIN_LENGTH), generated: true };
  }
  if (process.stdin.isTTY) return { password: await promptForSecret('the password'), generated: false };
  throw new WrongUsage(
    'Say --password-stdin and give the password on standard input, or --generate: it is never an argument.',
  );
}

/** What was done, with the password if it was generated. */
export function told(json: object, text: string, { password, generated }: NewPassword): Answer {
  if (!generated) return { json, text };
  const secret = facts([
    ['password', password],
    ['', 'Nobody can show it to you again.'],
  ]);
  return { json: { ...json, password }, text: `${text}\n${secret}` };
}
