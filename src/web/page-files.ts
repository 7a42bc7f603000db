import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PAGE_ISOLATION } from '../http/security-headers.js';

/**
 * What a page may do: load scripts and styles from its own files, and call its own server. No other page may frame it.
 * People type passwords on these pages, so text may not become markup either (Trusted Types).
 */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

interface PageFile {
  readonly type: string;
  readonly body: string;
  /** A strong tag (RFC 9110 §8.8.3): a digest of the bytes. */
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The folder of the pages in the clone, the image or the package, because the compiler does not copy pages. */
const FOLDER = join(dirname(createRequire(import.meta.url).resolve('keks/package.json')), 'src/web/page');

/**
 * The files that all pages share. They are above the folders of the pages, except for the icon, which first belonged to
 * the story.
 */
export const SHARED = ['page.css', 'authorize.css', 'password-reset.js', 'story.svg'] as const;

/**
 * The names of the files of a page except its HTML. Each file has its own address, because the policy allows nothing
 * inline.
 */
export function partsOf(page: 'console' | 'story'): readonly string[] {
  const shared: readonly string[] = SHARED;
  return readdirSync(join(FOLDER, page)).filter((name) => !name.endsWith('.html') && !shared.includes(name));
}

/** Which other pages this server serves, so that no link leads to a missing page. */
export interface PageLinks {
  readonly reference: boolean;
  readonly story: boolean;
  /** Whether there is an API whose guard holds a lease. Without it, the page does not offer the story with a lease. */
  readonly lease: boolean;
}

/** The injection token of the links. */
export const PAGE_LINKS = Symbol('PAGE_LINKS');

const REFERENCE_LINK = /<a href="docs">(.*?)<\/a>/gs;
const STORY_LINK = /\s*<a href="\.">.*?<\/a>/gs;
const LEASE_TELLING = /\s*<label><input type="radio" name="telling" value="lease".*?<\/label>/gs;

/** The files of one page, or the files that all pages share, held in memory. */
export class PageFiles {
  private readonly files: ReadonlyMap<string, PageFile>;

  /**
   * Reads the files.
   * @throws Error at the start, not at the first request, if a file or the folder is missing
   */
  constructor(page: 'console' | 'story' | 'shared', links: PageLinks) {
    this.files = new Map(filesOf(page).map(([name, path]) => [name, readPageFile(path, links)]));
  }

  /** @param name the name of the file; by default the route's address without its slash */
  send(request: FastifyRequest, reply: FastifyReply, name = request.routeOptions.url?.slice(1) ?? ''): void {
    const file = this.files.get(name);
    if (!file) throw new Error(`no file for ${name}`);
    if (name.endsWith('.html')) reply.header('content-security-policy', PAGE_POLICY).headers(PAGE_ISOLATION);
    reply.header('cache-control', 'no-cache').header('etag', file.etag);
    // a proxy that compresses the body makes the tag weak
    if (request.headers['if-none-match']?.includes(file.etag)) reply.code(304).send();
    else reply.type(file.type).send(file.body);
  }
}

/** The names of the files, and their paths in the folder of the pages. */
function filesOf(page: 'console' | 'story' | 'shared'): (readonly [string, string])[] {
  if (page === 'shared')
    return [
      ['page.css', 'page.css'],
      ['authorize.css', 'authorize.css'],
      ['password-reset.js', 'password-reset.js'],
      ['story.svg', join('story', 'story.svg')],
    ];
  return [`${page}.html`, ...partsOf(page)].map((name) => [name, join(page, name)] as const);
}

function readPageFile(path: string, links: PageLinks): PageFile {
  const text = readFileSync(join(FOLDER, path), 'utf8');
  const body = path.endsWith('.html') ? withoutDeadLinks(text, links) : text;
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1)];
  if (type === undefined) throw new TypeError(`what is the media type of ${path}?`);
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

function withoutDeadLinks(html: string, { reference, story, lease }: PageLinks): string {
  let kept = reference ? html : html.replaceAll(REFERENCE_LINK, '$1');
  if (!lease) kept = kept.replaceAll(LEASE_TELLING, '');
  return story ? kept : kept.replaceAll(STORY_LINK, '');
}
