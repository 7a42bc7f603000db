import { Module, type DynamicModule } from '@nestjs/common';
import { CONFIG, type Config } from './config.js';

/** Gives the frozen Config to those who import it. */
@Module({})
export class ConfigModule {
  static of(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
