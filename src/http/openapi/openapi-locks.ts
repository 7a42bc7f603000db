import type { INestApplication } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PUBLIC, REQUIRED_SCOPE } from 'keks-guard/internals';
import { SCOPE_EXTENSION } from 'keks-guard/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** What the guard's decorators say of a route. */
export interface Lock {
  readonly open: boolean;
  readonly scope: readonly string[];
}

/** Of every handler in the application, one's own modules too, by the id of its operation. */
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
      for (const name of scanner.getAllMethodNames(handlers))
        locks.set(operationId(metatype.name, name), lockOf([handlers[name], metatype]));
    }
  return locks;
}

/** The method's word counts before the class's, as it does for the guard. */
function lockOf(places: readonly (object | undefined)[]): Lock {
  const word = (key: symbol): unknown =>
    places
      .map((place) => place && (Reflect.getMetadata(key, place) as unknown))
      .find((one) => one !== undefined);
  const scope = word(REQUIRED_SCOPE);
  return { open: word(PUBLIC) === true, scope: Array.isArray(scope) ? scope.map(String) : [] };
}

/** A lock where the guard stands, none where it lets everybody through. What a route says of itself stays: a client's credentials. */
export function addLock(operation: Operation, { open, scope }: Lock): void {
  operation.security ??= open ? [] : [{ bearer: [] }];
  if (!open && scope.length > 0) Object.assign(operation, { [SCOPE_EXTENSION]: scope });
}
