/** Under which rules a client gets its tokens: for a new one, and for one that there is. */
import { field, select } from './console-elements.js';

const yes = (is) => (is ? 'yes' : '');

/** @param client as the wire has it; none of them holds if absent */
export function ruleFields(client = {}) {
  return [
    field(
      'Pushed requests',
      select(
        'pushed',
        [
          ['', 'if it wants to'],
          ['yes', 'always: nobody comes with a request that was not pushed'],
        ],
        { value: yes(client.require_pushed_authorization_requests) },
      ),
    ),
    field(
      'Bound to a key',
      select(
        'bound',
        [
          ['', 'if it sends a proof (DPoP)'],
          ['yes', 'always: without a proof it gets none'],
        ],
        { value: yes(client.dpop_bound_access_tokens) },
      ),
    ),
    field(
      'Exchanges tokens',
      select(
        'exchange',
        [
          ['', 'no'],
          ['yes', 'yes: as an API it gets tokens for other APIs for those that it was sent'],
        ],
        { value: yes(client.token_exchange) },
      ),
    ),
  ];
}

/** What was chosen, as the wire has it. */
export function rulesOf({ pushed, bound, exchange }) {
  return {
    require_pushed_authorization_requests: pushed.value === 'yes',
    dpop_bound_access_tokens: bound.value === 'yes',
    token_exchange: exchange.value === 'yes',
  };
}

export const RULES_REFUSED = {
  'invalid_request.token_exchange':
    'A client that acts for people cannot exchange tokens, and one of before may ask for any API: change its APIs first.',
};
