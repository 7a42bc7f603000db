import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { DpopVerifier } from './dpop-verifier.js';
import { routeWords, saysBoth } from './route-words.js';

type Ask = (handler: object, controller: object) => boolean;

/** Tells the developer at the start about a route whose decorators nobody can mean, so that no caller finds it later. */
@Injectable()
export class RouteChecks implements OnModuleInit {
  constructor(
    private readonly modules: ModulesContainer,
    @Optional() private readonly dpop?: DpopVerifier,
  ) {}

  /**
   * @throws Error for `@Public()` beside a decorator that closes the same place, and for `@RequireDpop()` where nobody knows which
   * address a proof would have to name
   */
  onModuleInit(): void {
    const both = this.routesWhere(saysBoth);
    if (both.length > 0)
      throw new Error(
        `@Public() opens ${both.join(', ')}, and @RequireScope(), @RequireDpop() or @Guarded() on the same place closes it: take one of them away.`,
      );
    const closed = this.dpop ? [] : this.routesWhere(wantsDpop);
    if (closed.length > 0)
      throw new Error(
        `@RequireDpop() on ${closed.join(', ')}: a proof is made for an address, and the guard does not know by which one callers know this API. ` +
          "Give GuardModule.forRoot dpop: { publicUrl: 'https://api.example.com' }, or a resource or an audience that is its address.",
      );
  }

  private routesWhere(ask: Ask): string[] {
    const scanner = new MetadataScanner();
    const routes = new Set<string>();
    for (const { controllers } of this.modules.values())
      for (const { metatype } of controllers.values()) {
        if (typeof metatype !== 'function') continue;
        const handlers = metatype.prototype as Record<string, object>;
        for (const name of scanner.getAllMethodNames(handlers)) {
          const handler = handlers[name];
          if (handler && ask(handler, metatype)) routes.add(`${metatype.name}.${name}()`);
        }
      }
    return [...routes];
  }
}

function wantsDpop(handler: object, controller: object): boolean {
  const { open, dpop } = routeWords(handler, controller);
  return dpop && !open;
}
