import type { OpenAPIObject } from '@nestjs/swagger';
import { SCOPE_EXTENSION } from 'keks-guard/swagger';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['get']>;
type Schemes = NonNullable<NonNullable<OpenAPIObject['components']>['securitySchemes']>;

const SCHEME = 'oauth2';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/**
 * Says in words which scope the token must carry, and offers the client credentials flow unless no client can have that
 * scope.
 * @param personal the scope that no client can have
 */
export function addAccess(operation: Operation, personal: string): void {
  const scopes = requiredScopes(operation);
  if (scopes.length === 0) return;
  const words = `Wants a token with the scope ${scopes.map((scope) => `\`${scope}\``).join(' and ')}.`;
  operation.description = [operation.description, words].filter(Boolean).join('\n\n');
  if (scopes.includes(personal)) return;
  operation.security = [...(operation.security ?? []), { [SCHEME]: scopes }];
}

/**
 * The flows, with the scopes of the operations that offer them (RFC 6749 §4.1, §4.4).
 * @param oauth the base URL of the OAuth endpoints
 */
export function oauthFlows(paths: Paths, oauth: string): Schemes {
  const served = new Map<string, Set<string>>();
  for (const [path, methods] of Object.entries(paths))
    for (const method of METHODS) {
      const operation = methods[method];
      for (const scope of operation?.security?.flatMap((one) => one[SCHEME] ?? []) ?? []) {
        const places = served.get(scope) ?? new Set();
        served.set(scope, places.add(placeOf(operation, `${method.toUpperCase()} ${path}`)));
      }
    }
  if (served.size === 0) return {};
  const tokenUrl = `${oauth}/token`;
  const scopes = [...served].sort().map(([scope, places]) => [scope, `For ${[...places].join(', ')}.`]);
  return {
    [SCHEME]: {
      type: 'oauth2',
      description:
        'A client_id and its secret are exchanged for a token; or a person signs in, and lets the client act for them. Without a scope: all that the client has.',
      flows: {
        clientCredentials: { tokenUrl, scopes: Object.fromEntries(scopes) },
        authorizationCode: {
          authorizationUrl: `${oauth}/authorize`,
          tokenUrl,
          // no person can give away the scopes of the authority itself
          scopes: Object.fromEntries(scopes.filter(([scope = '']) => !/^(?:keks|keys):/.test(scope))),
        },
      },
    },
  };
}

/** The name of the admin group for its operations; the name of the operation for any other. */
function placeOf(operation: Operation | undefined, name: string): string {
  return operation?.tags?.includes('admin') ? 'the group "admin"' : name;
}

function requiredScopes(operation: Operation): string[] {
  const named: unknown = (operation as unknown as Record<string, unknown>)[SCOPE_EXTENSION];
  return Array.isArray(named) ? named.map(String) : [];
}
