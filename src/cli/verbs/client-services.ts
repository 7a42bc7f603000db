import type { Initiator } from '../../auth/audit/actor.js';
import type { ClientsService } from '../../auth/clients/clients.service.js';

/** What the verbs about clients do, as the operator. */
export async function withClients<T>(
  work: (clients: ClientsService, by: Initiator) => Promise<T>,
): Promise<T> {
  const [{ withServices }, { ClientsService }, { OPERATOR }] = await Promise.all([
    import('../services.js'),
    import('../../auth/clients/clients.service.js'),
    import('../../auth/request-origin.js'),
  ]);
  return withServices((services) =>
    work(services.get(ClientsService), { actor: 'operator', origin: OPERATOR }),
  );
}
