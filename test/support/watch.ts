import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';

/**
 * Over all suites: every answer that a test's servers give, in this process or in one of their own, and every line that
 * they log. A red test shows its share of both; and no answer is 500, unless the test says that it wants one.
 */

interface Witness {
  readonly name: string;
  /** Grows; what stands there stays. */
  readonly lines: readonly string[];
  /** How many there were when the test began, and how many have been looked through for a 500. */
  begun: number;
  read: number;
}

interface Seen {
  readonly what: string;
  readonly status: number;
  readonly id: string;
}

const LINES_MOST = 60;
const ANSWERS_MOST = 30;

let witnesses: Witness[] = [];
let answers: Seen[] = [];
/** A line each, by the id of the request. */
const faults = new Map<string, string>();
/** Ids of requests whose 500 a test wanted: the line of a process of its own may come after the end of the test. */
const excused = new Set<string>();
let wanted = false;

/** Whose lines are shown when a test fails, and searched for a 500. */
export function watchLog(name: string, lines: readonly string[]): void {
  witnesses.push({ name, lines, begun: lines.length, read: lines.length });
}

/** The same for what comes in pieces. @returns takes the next piece */
export function watchOutput(name: string): (piece: string) => void {
  const lines: string[] = [];
  let rest = '';
  watchLog(name, lines);
  return (piece) => {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  };
}

/** This test breaks something of ours on purpose, and wants the 500 that comes of it. */
export function wants500(): void {
  wanted = true;
}

export function beginFile(): void {
  witnesses = [];
  beginTest();
}

export function beginTest(): void {
  answers = [];
  wanted = false;
  for (const one of witnesses) one.begun = one.lines.length;
}

/** @throws Error with the log line of each 500 since the last call */
export function refuse500s(): void {
  for (const one of witnesses) {
    for (const line of one.lines.slice(one.read)) noteLine(one.name, line);
    one.read = one.lines.length;
  }
  if (wanted) for (const id of faults.keys()) excused.add(id);
  const found = [...faults.values()];
  faults.clear();
  if (found.length === 0 || wanted) return;
  throw new Error(
    `an answer was 500, which nothing from outside may cause:\n${found.slice(0, 5).join('\n')}`,
  );
}

/** What a person wants to know who looks at a red test. */
export function testimony(): string {
  const parts = witnesses
    .map(({ name, lines, begun }) => block(name, lines.slice(begun), LINES_MOST))
    .filter((part) => part !== '');
  const said = answers.map(({ what, status, id }) => `${status} ${what} ${id}`);
  return [...parts, block('answers, with their request ids', said, ANSWERS_MOST)].join('');
}

function block(name: string, lines: readonly string[], most: number): string {
  if (lines.length === 0) return '';
  const left = lines.length - most;
  const shown = lines.slice(-most).map((line) => `  ${line.trimEnd().slice(0, 600)}\n`);
  return `\n${name}:\n${left > 0 ? `  (${left} before)\n` : ''}${shown.join('')}`;
}

function noteLine(name: string, line: string): void {
  // cheap first: there are many lines
  if (!line.includes('"status":500') || !line.includes('"msg":"request failed"')) return;
  const [, id = line] = /"requestId":"([^"]+)"/.exec(line) ?? [];
  if (!excused.has(id)) faults.set(id, `${name}: ${line.trimEnd().slice(0, 1_200)}`);
}

/** Only what has an id is of ours: other people's APIs, and authorities that a test plays, have none. */
function noteAnswer(what: string, status: number, id: unknown): void {
  if (typeof id !== 'string') return;
  answers.push({ what, status, id });
  if (answers.length > 4 * ANSWERS_MOST) answers = answers.slice(-ANSWERS_MOST);
  if (status !== 500 || excused.has(id)) return;
  // at once: a hook that wants it is over before the test that it prepares begins
  if (wanted) excused.add(id);
  else if (!faults.has(id)) faults.set(id, `${what}: 500, request ${id}`);
}

/** Once a process, however many files follow one another in it. */
function listen(): void {
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as {
      request: IncomingMessage;
      // as it went out: Fastify gives its headers to `writeHead`, where `getHeader` does not find them
      response: ServerResponse & { readonly _header: string | null };
    };
    const [, id] = /\r\nx-request-id: (\S+)/i.exec(response._header ?? '') ?? [];
    noteAnswer(`${request.method} ${request.url}`, response.statusCode, id);
  });
  subscribe('http.client.response.finish', (message) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    const id = response.headers['x-request-id'];
    if (response.statusCode === 500) noteAnswer(`${request.method} ${request.path}`, 500, id);
  });
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as {
      request: { method: string; origin: string; path: string };
      response: { statusCode: number; headers: readonly Buffer[] };
    };
    if (ownPorts.has(new URL(request.origin).port)) return;
    const fields = response.headers.map(String);
    const at = fields.findIndex((name) => name.toLowerCase() === 'x-request-id');
    const what = `${request.method} ${request.origin}${request.path}`;
    noteAnswer(what, response.statusCode, at < 0 ? undefined : fields[at + 1]);
  });
}

/** Of servers in this process, whose answers are seen where they are made. */
const ownPorts = new Set<string>();

export function watchServer(name: string, url: string, log: readonly string[]): void {
  ownPorts.add(new URL(url).port);
  watchLog(name, log);
}

listen();
