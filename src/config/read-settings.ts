import { SETTINGS, type Settings } from './settings.js';

/** Thrown by `loadConfig`: one line a problem. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** Parses every setting; a bad one becomes a line in `problems` that never repeats its value (it may be a secret). */
export function readSettings(environment: NodeJS.ProcessEnv): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(SETTINGS)) {
    const text = environment[name] || one.fallback;
    if (text === undefined) continue;
    try {
      values[name] = one.parse(text);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : 'is not valid'}.`);
      values[name] = one.fallback === undefined ? undefined : one.parse(one.fallback);
    }
  }
  return { settings: values as Settings, problems };
}
