import { Injectable, Optional, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { DpopVerifier } from './dpop-verifier.js';
import { PUBLIC, REQUIRED_DPOP } from './principal.js';

/** Tells the developer at the start about a route that nobody could ever open, so that no caller finds it later. */
@Injectable()
export class DpopRoutes implements OnModuleInit {
  constructor(
    private readonly modules: ModulesContainer,
    @Optional() private readonly dpop?: DpopVerifier,
  ) {}

  /** @throws Error for `@RequireDpop()` where nobody knows which address a proof would have to name */
  onModuleInit(): void {
    const routes = this.dpop ? [] : this.closedRoutes();
    if (routes.length === 0) return;
    throw new Error(
      `@RequireDpop() on ${routes.join(', ')}: a proof is made for an address, and the guard does not know by which one callers know this API. ` +
        "Give GuardModule.forRoot dpop: { publicUrl: 'https://api.example.com' }, or a resource or an audience that is its address.",
    );
  }

  private closedRoutes(): string[] {
    const scanner = new MetadataScanner();
    const routes = new Set<string>();
    for (const { controllers } of this.modules.values())
      for (const { metatype } of controllers.values()) {
        if (typeof metatype !== 'function') continue;
        const handlers = metatype.prototype as Record<string, object>;
        for (const name of scanner.getAllMethodNames(handlers))
          if (wantsDpop(handlers[name], metatype)) routes.add(`${metatype.name}.${name}()`);
      }
    return [...routes];
  }
}

/** As the guard reads it: a decorator of the method counts before one of the class. */
function wantsDpop(handler: object | undefined, controller: object): boolean {
  const word = (key: symbol): unknown =>
    (handler && (Reflect.getMetadata(key, handler) as unknown)) ?? Reflect.getMetadata(key, controller);
  return word(REQUIRED_DPOP) === true && word(PUBLIC) !== true;
}
