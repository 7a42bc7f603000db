import { isSamePlace } from 'keks-guard/internals';

interface Api {
  readonly clientId: string;
  readonly name: string;
  readonly audience: readonly string[];
}

/**
 * Audiences are compared letter by letter, so a misspelled audience is another API, for which no token is valid.
 * @param main the audience of tokens for which no other was asked
 * @returns a sentence for each client
 */
export function misspelledAudiences(apis: readonly Api[], main: string): string[] {
  return apis.flatMap(({ clientId, name, audience }) => {
    const wrong = audience.find((one) => one !== main && isSamePlace(one, main));
    return wrong === undefined || audience.includes(main)
      ? []
      : [`the audience of ${clientId} (${name}) is ${wrong}, and tokens are for ${main}: ${EXPLANATION}`];
  });
}

const EXPLANATION =
  'that is one address, spelled in two ways, and the API is told of no such token that it is good';
