import type { INestApplication } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { routeWords, type RouteWords } from 'keks-guard/internals';
import { SCOPE_EXTENSION } from 'keks-guard/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** What the guard's decorators say about a route. */
export type Lock = Pick<RouteWords, 'open' | 'scope'>;

/** The locks of every handler in the application, including custom modules, by operation id. */
export function locksOf(
  app: INestApplication,
  operationId: (controller: string, method: string) => string,
): Map<string, Lock> {
  const locks = new Map<string, Lock>();
  const scanner = new MetadataScanner();
  for (const { controllers } of app.get(ModulesContainer, { strict: false }).values())
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const handlers = metatype.prototype as Record<string, object>;
      for (const name of scanner.getAllMethodNames(handlers)) {
        const handler = handlers[name];
        if (handler) locks.set(operationId(metatype.name, name), routeWords(handler, metatype));
      }
    }
  return locks;
}

/**
 * Adds a lock if the guard protects the route, and none if the route is open to everybody. A lock that the route sets
 * itself stays, such as the credentials of a client.
 */
export function addLock(operation: Operation, { open, scope }: Lock): void {
  operation.security ??= open ? [] : [{ bearer: [] }];
  if (!open && scope.length > 0) Object.assign(operation, { [SCOPE_EXTENSION]: scope });
}
