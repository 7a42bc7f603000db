import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface PageFile {
  readonly type: string;
  readonly body: string;
  /** Strong (RFC 9110 §8.8.3): the bytes, digested. */
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The compiler copies no page: the files are served from where they lie, in a clone, an image or a package. */
const FOLDER = join(dirname(createRequire(import.meta.url).resolve('keks/package.json')), 'src/web/page');

/** @throws if there is no such file: at the start, not at the first request */
export function readPageFile(name: string): PageFile {
  const body = readFileSync(join(FOLDER, name), 'utf8');
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
  if (type === undefined) throw new TypeError(`what is the media type of ${name}?`);
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
