/** What a generator is told to send. Everything in it survives IPC. */
export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  /** Stops after so many milliseconds, or after `total` answers, whichever comes first. */
  readonly milliseconds: number;
  readonly total?: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** One value a line; each request takes one at random and puts it where `{}` stands in its headers or body. */
  readonly valuesFile?: string;
  /**
   * A member of the answer: its text is the value of the next request on that connection, and each value of the file is
   * begun with once. What a run ends with, the next run of the same plan begins with.
   */
  readonly follow?: string;
  /** Each value once, in their order, and no more requests than there are values. */
  readonly once?: boolean;
  /** The status that every answer must have. */
  readonly expect: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Answered 503 instead: on a machine that is busy with other things the database may not answer in time. */
  readonly unavailable: number;
  /** Answers with yet another status, and connections that broke. */
  readonly wrong: number;
  /** The first of them, for people. */
  readonly firstWrong?: string;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** How much of one core the generator itself used: near 1 it is the limit. */
  readonly generatorCpu: number;
  /** Microseconds of the server's own CPU a request: hardly disturbed by what else runs on the machine. */
  readonly serverMicroseconds?: number;
  /** The same of all processes of PostgreSQL together. */
  readonly databaseMicroseconds?: number;
}
