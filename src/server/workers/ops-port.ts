import type { OpenAPIObject } from '@nestjs/swagger';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { documentOptions } from '../document-options.js';
import { drain } from '../../http/drain.js';
import { serveDocuments } from '../../http/openapi/openapi.js';
import { listenOrRefuse } from '../listen-refusal.js';
import { createOpsApp, type OpsSources } from '../../ops/ops-listener.js';
import { OPS_STOP_LIMIT_MS } from '../service.js';

/** Serves OPS_PORT from the primary, for all workers. @returns a function that closes it. @throws StartRefusal */
export async function openOps(
  config: Config,
  logger: Logger,
  sources: OpsSources & { readonly document: () => OpenAPIObject },
): Promise<() => Promise<unknown>> {
  const ops = await createOpsApp(sources, config, logger);
  serveDocuments(ops, documentOptions(config), sources.document);
  try {
    await listenOrRefuse(ops, config, 'OPS_PORT');
  } catch (error) {
    await ops.close();
    throw error;
  }
  return () => drain(ops, { delayMs: 0, limitMs: OPS_STOP_LIMIT_MS });
}
