/** Owns what rows share - PostgreSQL, filled databases, servers, the generator - and gives all of it back at the end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, fill } from './fill.js';
import { LoadGenerator } from './load.js';
import type { LoadPlan, LoadResult } from './load.plan.js';
import type { BenchOptions } from './options.js';
import { startPostgres, type BenchPostgres } from './postgres.js';
import { KEKS_ARGUMENTS, launch, type Program } from './process.js';
import { progress, say } from './progress.js';

export const DIST = fileURLToPath(new URL('../..', import.meta.url));
export const ROOT = join(DIST, '..');
const WARM_UP_MS = 1_500;
/** So that nearly every token in use has been asked for when the clock starts: pages are read from disk once. */
const WARM_UP_MS_A_VALUE = 0.2;

export interface FilledDatabase {
  readonly name: string;
  readonly url: string;
  readonly tokensFile: string;
}

/** Everything of a plan that a row need not say. */
export type Ask = Omit<LoadPlan, 'milliseconds' | 'connections'> &
  Partial<Pick<LoadPlan, 'milliseconds' | 'connections'>>;

export class Bench {
  private postgres: Promise<BenchPostgres> | undefined;
  private readonly databases = new Map<number, Promise<FilledDatabase>>();
  private readonly programs = new Set<Program>();
  private readonly generators: LoadGenerator[] = [];
  private readonly others: ChildProcess[] = [];

  constructor(readonly options: BenchOptions) {}

  cluster(): Promise<BenchPostgres> {
    return (this.postgres ??= startPostgres());
  }

  /** Filled once a run. */
  database(tokens = this.options.tokens): Promise<FilledDatabase> {
    let database = this.databases.get(tokens);
    if (!database && this.databases.size > 0 && this.options.database !== undefined)
      throw new Error('this row needs two databases: measure it without --database');
    if (!database) this.databases.set(tokens, (database = this.newDatabase(tokens)));
    return database;
  }

  /** Keks with the unguarded route beside the guarded one. */
  keks(
    database: FilledDatabase,
    nodeArguments: readonly string[] = [],
    extra: Record<string, string> = {},
    dist = DIST,
  ): Promise<Program> {
    return this.start({
      file: join(dist, 'bench/server.js'),
      nodeArguments: [...KEKS_ARGUMENTS, ...nodeArguments],
      environment: { ...environment(database.url), ...extra },
      path: '/health/ready',
    });
  }

  async start(order: Parameters<typeof launch>[0]): Promise<Program> {
    const program = await launch(order);
    this.programs.add(program);
    return program;
  }

  async stop(program: Program): Promise<void> {
    this.programs.delete(program);
    await program.stop();
  }

  generator(at = 0): LoadGenerator {
    return (this.generators[at] ??= new LoadGenerator());
  }

  async load(ask: Ask, generator = 0): Promise<LoadResult> {
    const { connections, seconds } = this.options;
    const server = [...this.programs].find(({ port }) => port === ask.port);
    const cluster = await this.postgres;
    const before = { server: server?.cpu(), database: cluster?.cpu() };
    const result = await this.generator(generator).run({
      connections,
      milliseconds: seconds * 1_000,
      ...ask,
    });
    const each = (from?: number, to?: number): number | undefined =>
      from === undefined || to === undefined ? undefined : ((to - from) * 1e6) / result.requests;
    const serverMicroseconds = each(before.server, server?.cpu());
    const databaseMicroseconds = each(before.database, cluster?.cpu());
    return {
      ...result,
      ...(serverMicroseconds !== undefined && { serverMicroseconds }),
      ...(databaseMicroseconds !== undefined && { databaseMicroseconds }),
    };
  }

  /** A B C A B C ...: what changes slowly on the machine meets all sides alike. */
  async interleaved<K extends string>(
    sides: Record<K, () => Promise<LoadResult>>,
    warmUp: readonly Ask[] = [],
  ): Promise<Record<K, LoadResult[]>> {
    this.makeBusy();
    for (const ask of warmUp) await this.load({ ...ask, milliseconds: warmUpOf(ask) });
    const names = Object.keys(sides) as K[];
    const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, LoadResult[]>;
    for (let round = 1; round <= this.options.rounds; round += 1) {
      for (const name of names) results[name].push(await sides[name]());
      const seen = names.map((name) => `${name} ${brief(results[name].at(-1)!)}`);
      say(`  round ${round}/${this.options.rounds}: ${seen.join('   ')}`);
    }
    return results;
  }

  /** Others use the processor, too, as `--busy` says. */
  private makeBusy(): void {
    while (this.others.length < this.options.busy)
      this.others.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  }

  async close(): Promise<void> {
    for (const other of this.others) other.kill('SIGKILL');
    for (const generator of this.generators) generator.close();
    await Promise.allSettled([...this.programs].map((program) => program.stop()));
    await this.postgres?.then((postgres) => postgres.stop());
  }

  private async newDatabase(tokens: number): Promise<FilledDatabase> {
    const cluster = await this.cluster();
    const name = `keks_${tokens}`;
    const url = this.options.database ?? (await cluster.create(name));
    const tokensFile = join(cluster.folder, `${name}.tokens`);
    const inUse = Math.min(this.options.inUse, tokens);
    await fill({
      url,
      tokens,
      inUse,
      file: tokensFile,
      progress: (done) =>
        progress(`  filling: ${done.toLocaleString('en')} of ${tokens.toLocaleString('en')} tokens`),
    });
    return { name, url, tokensFile };
  }
}

function warmUpOf({ valuesFile }: Ask): number {
  const values = valuesFile === undefined ? 0 : readFileSync(valuesFile, 'utf8').split('\n').length;
  return Math.max(WARM_UP_MS, values * WARM_UP_MS_A_VALUE);
}

function brief({
  perSecond,
  p99,
  unavailable,
  serverMicroseconds,
  databaseMicroseconds,
}: LoadResult): string {
  const cpu = [serverMicroseconds, databaseMicroseconds].filter((one) => one !== undefined);
  const used = cpu.length === 0 ? '' : `, ${cpu.map((one) => one.toFixed(1)).join(' + ')} us of CPU`;
  return `${Math.round(perSecond).toLocaleString('en')}/s (p99 ${p99.toFixed(1)} ms${used}${unavailable === 0 ? '' : `, ${unavailable} times 503`})`;
}

/** `GET /cookies` with one of the tokens in a file. */
export function cookies(program: Program, tokensFile: string, more: Partial<Ask> = {}): Ask {
  return {
    port: program.port,
    method: 'GET',
    path: '/cookies',
    headers: { Authorization: 'Bearer {}' },
    valuesFile: tokensFile,
    expect: 200,
    ...more,
  };
}

/** The same answer without a token. */
export function unguarded(program: Program): Ask {
  return { port: program.port, method: 'GET', path: '/unguarded', expect: 200 };
}
