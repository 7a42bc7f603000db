/** So many wait for somebody at once; those who come at the same moment may be some more. */
export const MOST_WAITING = 10_000;
const MOST_OF_CLIENT = 1_000;
/** Of a client without a secret, whose name anybody can say: nobody uses up what others have. */
const MOST_OF_NETWORK = 100;

/** What stands for them in the statement. */
interface Asking {
  readonly client: string;
  readonly network: string;
  readonly isPublic: string;
}

/** Whether one more may wait beside the rows `w` (client_id, network) of those who do, as an aggregate of them. */
export function hasRoom({ client, network, isPublic }: Asking): string {
  return `count(*) < ${MOST_WAITING} AND count(*) FILTER (WHERE w.client_id = ${client}) < ${MOST_OF_CLIENT}
             AND (NOT ${isPublic}
                  OR count(*) FILTER (WHERE w.client_id = ${client} AND w.network = ${network}) < ${MOST_OF_NETWORK})`;
}
