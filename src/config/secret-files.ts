import { readFileSync } from 'node:fs';

/** Settings that are secret, or have a password in them. */
const SECRETS = ['DATABASE_URL', 'SECRET_KEY', 'SECRET_KEY_PREVIOUS'] as const;

/**
 * `SECRET_KEY_FILE` names a file that holds what `SECRET_KEY` would hold. Docker, Kubernetes and systemd give secrets as
 * files; in the environment, child processes inherit them and tools show them.
 * @returns the environment with what is in those files, without the newline at the end
 */
export function withSecretFiles(environment: NodeJS.ProcessEnv): {
  environment: NodeJS.ProcessEnv;
  problems: string[];
} {
  const read: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of SECRETS) {
    const file = environment[`${name}_FILE`];
    if (!file) continue;
    if (environment[name]) problems.push(`${name} and ${name}_FILE exclude each other: unset one of them.`);
    else
      try {
        read[name] = readFileSync(file, 'utf8').trimEnd();
        if (read[name] === '') problems.push(`${name}_FILE is empty: write the value into that file.`);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
        problems.push(
          `${name}_FILE cannot be read (${code}): correct the path, or give this user the right to read it.`,
        );
      }
  }
  return { environment: { ...environment, ...read }, problems };
}
