import pg from 'pg';
import { isLostName } from './postgres-error.js';
import { sayAll, type DatabaseConnection } from './session-settings.js';
import type { Statement } from './statement.js';
import type { Way } from './way.js';

/** Sets every mode, because another user of the session may have changed its defaults. */
const START = 'START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE';
const BEGINS = /^\s*(?:BEGIN|START\s+TRANSACTION)\b/i;

type Query = (...args: unknown[]) => unknown;
type Done = (error: unknown, result?: unknown) => void;

/**
 * Gives a client behind a pooler transactions only, and each transaction sets its own settings. Two statements in a row
 * may run in two sessions, and nobody knows what a session was told at its start.
 */
export class PooledSession {
  /** The first statement of a transaction, for callers that send statements themselves. */
  readonly preamble: Statement;
  private readonly opening: string;
  private readonly send: Query;
  private turn: Promise<unknown> = Promise.resolve();

  /** From now on, every query of the client goes through this object. */
  constructor(
    private readonly client: pg.Client & { readonly way: Way },
    connection: DatabaseConnection,
  ) {
    this.preamble = { name: 'keks_settings', text: sayAll(connection) };
    this.opening = `${START}; ${this.preamble.text}`;
    this.send = client.query.bind(client) as Query;
    client.query = ((...args: unknown[]) => this.query(args)) as typeof client.query;
  }

  get names(): boolean {
    return this.client.way.names;
  }

  private query(args: unknown[]): unknown {
    const [config, ...more] = args;
    if (isSubmittable(config)) return this.send(...args);
    const done = more.find((one): one is Done => typeof one === 'function');
    if (!done) return this.ask(config, more);
    this.ask(config, more.slice(0, more.indexOf(done))).then(
      (result) => done(null, result),
      (error: unknown) => done(error),
    );
    return undefined;
  }

  private ask(config: unknown, values: unknown[]): Promise<unknown> {
    const text = typeof config === 'string' ? config : (config as { text: string }).text;
    const open = ['T', 'E'].includes(this.client.getTransactionStatus() ?? '');
    if (open) return this.sent(this.nameless(config), ...values).catch((error: unknown) => this.noted(error));
    if (BEGINS.test(text)) return this.sent(text.replace(BEGINS, this.opening));
    // later queries wait: a connection has one transaction at a time
    const result = this.turn.then(() => this.alone(config, values));
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async alone(config: unknown, values: unknown[]): Promise<unknown> {
    const time = timeOf(config);
    try {
      await this.sent({ text: this.opening, ...time });
      const result = await this.sent(this.nameless(config), ...values);
      await this.sent({ text: 'COMMIT', ...time });
      return result;
    } catch (error) {
      // a connection that did not answer would not answer a ROLLBACK either
      if (error instanceof pg.DatabaseError)
        await this.sent({ text: 'ROLLBACK', ...time }).catch(() => this.leave());
      else this.leave();
      return this.noted(error);
    }
  }

  /** If a pooler turns out not to keep statement names, this program stops using names with it. */
  private noted(error: unknown): never {
    if (isLostName(error)) this.client.way.names = false;
    throw error;
  }

  /** Ends the client: the pooler then ends our session and its transaction. */
  private leave(): void {
    void this.client.end().catch(() => undefined);
  }

  private sent(...args: unknown[]): Promise<unknown> {
    return this.send(...args) as Promise<unknown>;
  }

  private nameless(config: unknown): unknown {
    if (this.names || typeof config !== 'object') return config;
    return { ...config, name: undefined };
  }
}

function isSubmittable(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'submit' in config;
}

function timeOf(config: unknown): { query_timeout?: unknown } {
  const known = typeof config === 'object' && config !== null && 'query_timeout' in config;
  return known ? { query_timeout: config.query_timeout } : {};
}
