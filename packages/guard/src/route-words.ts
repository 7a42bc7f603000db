import { GUARDED, PUBLIC, REQUIRED_DPOP, REQUIRED_SCOPE } from './principal.js';

/** What the decorators of a route say together. */
export interface RouteWords {
  /** The route opens to callers without a token. */
  readonly open: boolean;
  /** The scopes that a token must have: all of them. */
  readonly scope: readonly string[];
  /** Only a token that is bound to a key opens the route (RFC 9449). */
  readonly dpop: boolean;
}

const CLOSING = [REQUIRED_SCOPE, REQUIRED_DPOP, GUARDED] as const;

/**
 * The nearest place counts: the method, then its class, then the class that this one extends. So a class that is `@Public()` can
 * have a method that is `@RequireScope()`, and the method is closed. A place that says both is closed; see `saysBoth`.
 */
export function routeWords(handler: object, controller: object): RouteWords {
  const places = placesOf(handler, controller);
  const nearest = (key: symbol): unknown => {
    const place = places.find((one) => Reflect.hasOwnMetadata(key, one));
    return place && (Reflect.getOwnMetadata(key, place) as unknown);
  };
  const decides = places.find((one) => isOpen(one) || isClosed(one));
  return {
    open: decides !== undefined && !isClosed(decides),
    scope: (nearest(REQUIRED_SCOPE) as readonly string[] | undefined) ?? [],
    dpop: nearest(REQUIRED_DPOP) === true,
  };
}

/** Whether one place of the route is `@Public()` and has a decorator that closes it: nobody can mean that. */
export function saysBoth(handler: object, controller: object): boolean {
  return placesOf(handler, controller).some((one) => isOpen(one) && isClosed(one));
}

function isOpen(place: object): boolean {
  return Reflect.getOwnMetadata(PUBLIC, place) === true;
}

function isClosed(place: object): boolean {
  return CLOSING.some((key) => Reflect.hasOwnMetadata(key, place));
}

function placesOf(handler: object, controller: object): object[] {
  return [...lineOf(handler), ...lineOf(controller)];
}

/** A class and those that it extends. A method that another decorator has wrapped may have the first one as its prototype. */
function lineOf(place: object): object[] {
  const line: object[] = [];
  for (
    let at: object | null = place;
    at && at !== Function.prototype;
    at = Object.getPrototypeOf(at) as object
  )
    line.push(at);
  return line;
}
