import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings.js';

const PAGE = resolve(import.meta.dirname, '../../docs/reference.md');
const SECTION = /(<!-- settings: [^>]*-->)(.*?)(<!-- \/settings -->)/s;

describe('docs/reference.md', () => {
  it('has a table of all settings: names, defaults and what they are for', async () => {
    const page = readFileSync(PAGE, 'utf8');
    const options = await resolveConfig(PAGE);
    const wanted = (await format(settingsTable(), { ...options, parser: 'markdown' })).trim();
    if (process.env['REFERENCE_UPDATE'])
      writeFileSync(
        PAGE,
        page.replace(SECTION, (_, begin: string, __, end: string) => `${begin}\n\n${wanted}\n\n${end}`),
      );
    else expect(SECTION.exec(page)?.[2]?.trim()).toBe(wanted);
  });
});

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, setting]) => {
    const fallback = 'fallback' in setting ? `\`${String(setting.fallback)}\`` : '';
    return `| \`${name}\` | ${fallback} | ${setting.summary} |`;
  });
  return ['| Setting | Default | What it is |', '| --- | --- | --- |', ...rows].join('\n');
}
