import { readFileSync } from 'node:fs';

/** As V8 writes it: the Chrome DevTools Protocol's Profiler.Profile. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  /** Of the time in which the process was not idle. */
  readonly share: number;
}

export interface Account {
  /** Of the whole time. */
  readonly idle: number;
  readonly groups: readonly SelfTime[];
  readonly functions: readonly SelfTime[];
}

/** The first that fits. What fits none belongs to whoever called it: a Buffer made for a MAC is part of the MAC. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ['token: spelling, checksum, MAC, digest', /auth\/tokens\/token-(format|reader|keys)|internal\/crypto/],
  [
    'JWT: parse and verify',
    /auth\/keys\/|node_modules\/(jsonwebtoken|jws|jwa|@nestjs\/jwt|ecdsa-sig-formatter)\//,
  ],
  ['batch, lookup, verdict', /dist\/src\/auth\//],
  ['guard', /packages\/guard\/|node_modules\/keks-guard\//],
  ['pg: protocol and rows', /node_modules\/(pg[^/]*|postgres-[^/]*)\/|dist\/src\/database\//],
  ['gate, request id and other hooks', /dist\/src\/(http|ops)\//],
  ['Nest: routing, guards consumer, pipes', /node_modules\/(@nestjs|rxjs|reflect-metadata|iterare)\//],
  ['Fastify', /node_modules\/(fastify|find-my-way|@fastify|avvio|fast-[^/]*|reusify|secure-json-parse)\//],
  [
    'Node: HTTP parsing and writing, sockets',
    /node:(_http|http|net|_stream|stream|internal\/(streams?|http|stream_base))/,
  ],
  ['Node: event loop, promises, timers', /node:(internal\/(process|timers|async_hooks)|timers|async_hooks)/],
];
const NATIVE = 'native: system calls and OpenSSL outside of any of these';
const COLLECTOR = 'garbage collection';

export function accountOf(file: string): Account {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const groupOf = new Map<number, string>();
  const walk = (node: ProfileNode, inherited: string): void => {
    const group = groupOfFrame(node) ?? inherited;
    groupOf.set(node.id, group);
    for (const child of node.children ?? []) walk(byId.get(child)!, group);
  };
  walk(profile.nodes[0]!, NATIVE);
  const groups = new Map<string, number>();
  const functions = new Map<string, number>();
  let [idle, busy] = [0, 0];
  profile.samples.forEach((id, at) => {
    const time = profile.timeDeltas[at] ?? 0;
    const node = byId.get(id)!;
    if (node.callFrame.functionName === '(idle)') return void (idle += time);
    busy += time;
    add(groups, groupOf.get(id)!, time);
    add(functions, nameOf(node), time);
  });
  return { idle: idle / (idle + busy), groups: shares(groups, busy), functions: shares(functions, busy) };
}

function groupOfFrame({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(garbage collector)') return COLLECTOR;
  if (functionName === '(program)') return NATIVE;
  return GROUPS.find(([, pattern]) => pattern.test(url))?.[0];
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const place = url.replace(/^file:\/\//, '').replace(/^.*\/(node_modules|dist)\//, '');
  return `${functionName || '(anonymous)'}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`;
}

function add(sums: Map<string, number>, key: string, time: number): void {
  sums.set(key, (sums.get(key) ?? 0) + time);
}

function shares(sums: Map<string, number>, total: number): SelfTime[] {
  return [...sums].map(([name, time]) => ({ name, share: time / total })).sort((a, b) => b.share - a.share);
}
