import type { WireErrorCode } from '../http/errors/wire-error.js';

/** What cannot be done as things are: exit code 1. The message is for the operator and names the mend. */
export class Refusal extends Error {
  readonly exitCode: 1 | 2 = 1;
  /** What it is about, by the name that it has on the wire. */
  readonly parameter: string | undefined;

  constructor(
    readonly code: WireErrorCode,
    message: string,
    options: ErrorOptions & { readonly parameter?: string } = {},
  ) {
    super(message, options);
    this.parameter = options.parameter;
  }
}

/** What the command line does not understand: exit code 2. */
export class WrongUsage extends Refusal {
  override readonly exitCode = 2;

  constructor(message: string) {
    super('invalid_request', message);
  }
}
