/** At most this many requests wait for a person at once, or a few more if some come at the same moment. */
export const MOST_WAITING = 10_000;
const MOST_OF_CLIENT = 1_000;
/** For a client without a secret. Anybody can use its name, so no network may use up the room of the others. */
const MOST_OF_NETWORK = 100;

/** The SQL expressions for the client, its network, and whether it is public. */
interface Asking {
  readonly client: string;
  readonly network: string;
  readonly isPublic: string;
}

/** The condition that one more request may wait: an aggregate over the waiting rows `w` (client_id, network). */
export function hasRoom({ client, network, isPublic }: Asking): string {
  return `count(*) < ${MOST_WAITING} AND count(*) FILTER (WHERE w.client_id = ${client}) < ${MOST_OF_CLIENT}
             AND (NOT ${isPublic}
                  OR count(*) FILTER (WHERE w.client_id = ${client} AND w.network = ${network}) < ${MOST_OF_NETWORK})`;
}
