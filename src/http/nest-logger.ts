import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { errorRecord, redact } from './errors/error-record.js';

/** Nest's own voice, in the same log. What it says at start-up is of interest to developers only. */
export function nestLogger(logger: Logger): LoggerService {
  const say =
    (level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const context = typeof rest.at(-1) === 'string' ? { context: rest.at(-1) } : {};
      if (message instanceof Error) logger[level]({ ...context, error: errorRecord(message) }, 'error');
      else logger[level](context, redact(String(message)));
    };
  return {
    verbose: say('trace'),
    debug: say('trace'),
    log: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
  };
}
