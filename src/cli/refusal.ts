import type { WireErrorCode } from '../http/errors/wire-error.js';

/** The verb cannot be done as things are: exit code 1. The message is for the operator and says what to do. */
export class Refusal extends Error {
  readonly exitCode: 1 | 2 = 1;
  /** The parameter that it is about, by its name on the wire. */
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

/** The command line does not understand the arguments: exit code 2. */
export class WrongUsage extends Refusal {
  override readonly exitCode = 2;

  constructor(message: string) {
    super('invalid_request', message);
  }
}
