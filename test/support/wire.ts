import { expect } from 'vitest';
import { expectListed } from './error-shape.js';
import { request, type Answer } from './test-app.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request with a token and, where there is one, a JSON body. */
export async function send(
  url: string,
  method: Method,
  path: string,
  token: string | undefined,
  body?: unknown,
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (body === undefined) return request(url, path, { method, headers });
  headers['content-type'] = 'application/json';
  return request(url, path, { method, headers, body: JSON.stringify(body) });
}

export function expectError(answer: Answer, status: number, error: string): void {
  expectListed(answer.status, answer.body, status, error);
}

export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** All pages of a list, one after the other. */
export async function pages<T>(
  url: string,
  path: string,
  token: string,
  between: () => Promise<unknown> = async () => undefined,
): Promise<T[][]> {
  const found: T[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const mark = path.includes('?') ? '&' : '?';
    const answer = await send(url, 'GET', cursor ? `${path}${mark}cursor=${cursor}` : path, token);
    expect(answer.status).toBe(200);
    const page = answer.body as Page<T>;
    found.push(page.items);
    cursor = page.next;
    if (cursor !== null) await between();
  }
  return found;
}

/** How often each status was answered. */
export function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
