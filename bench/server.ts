/** Keks with one route more: what `GET /cookies` answers, without a token. Only here, never in the product. */
import { Controller, Get, Module, type DynamicModule } from '@nestjs/common';
import { Public } from 'keks-guard';
import pino from 'pino';
import { AppModule } from '../src/app.module.js';
import { tuneCollector } from '../src/server/collector.js';
import { loadConfig } from '../src/config/config.js';
import { DatabaseSession } from '../src/database/database-session.js';
import { connectionOf } from '../src/database/pools.js';
import { drain, DrainState } from '../src/http/drain.js';
import { createHttpApp, listen } from '../src/http/http-app.js';
import { profileOnSignal } from './profile/on-signal.js';

@Public()
@Controller('unguarded')
class UnguardedController {
  @Get()
  eat(): string[] {
    return ['Cookie', 'Cookie', 'Cookie'];
  }
}

@Module({})
class BenchModule {
  static around(program: DynamicModule): DynamicModule {
    return { module: BenchModule, imports: [program], controllers: [UnguardedController] };
  }
}

tuneCollector();
const config = loadConfig();
const state = new DrainState();
const app = await createHttpApp(BenchModule.around(AppModule.of({ config, drain: state })), {
  realm: config.REALM,
  trustProxy: config.TRUST_PROXY,
  logger: pino({ level: config.LOG_LEVEL, base: null }),
  drain: state,
});
await app.get(DatabaseSession).connect(connectionOf(config.DATABASE_URL ?? ''));
await listen(app, config.PORT, config.HOST);
process.once('SIGTERM', () => {
  void drain(app, { delayMs: 0, limitMs: 5_000 }).then(() => process.exit(0));
});
await profileOnSignal();
