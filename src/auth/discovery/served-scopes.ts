import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { REQUIRED_SCOPE } from 'keks-guard/internals';

/**
 * The scopes that routes of this process ask for. They are read from the routes themselves, so the list has only what
 * is served.
 */
@Injectable()
export class ServedScopes {
  private found: readonly string[] | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Sorted. Call it only after all modules are loaded. */
  list(): readonly string[] {
    this.found ??= this.find();
    return this.found;
  }

  private find(): string[] {
    const controllers = this.discovery.getControllers().map(({ metatype }) => metatype as unknown);
    const classes = controllers.filter((one) => typeof one === 'function');
    const handlers = classes.flatMap(({ prototype }: { prototype: Record<string, object> }) =>
      this.scanner.getAllMethodNames(prototype).map((name) => prototype[name]),
    );
    const scopes = [...classes, ...handlers].flatMap((target) => scopesOf(target));
    return [...new Set(scopes)].sort();
  }
}

function scopesOf(target: object | undefined): string[] {
  const scopes: unknown = target && Reflect.getMetadata(REQUIRED_SCOPE, target);
  return (scopes as string[] | undefined) ?? [];
}
