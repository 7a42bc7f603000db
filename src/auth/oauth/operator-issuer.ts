import { Injectable } from '@nestjs/common';
import { isApp } from '../clients/client-record.js';
import { WireError } from '../../http/errors/wire-error.js';
import { ClientsService } from '../clients/clients.service.js';
import { LoginIssuer, type LoginRequest } from '../account/login-issuer.js';
import { OPERATOR } from '../request-origin.js';
import type { IssuedToken } from '../tokens/issued-token.js';
import { SecretKeyRegister } from '../secrets/secret-key-register.js';
import { UsersDirectory } from '../users/users-directory.js';
import { ClientCredentialsGrant } from './client-credentials-grant.js';

const OPERATOR_LABEL = 'issued by the operator';

/** Issues tokens for the operator, who needs no password and no secret. The audit log names the operator. */
@Injectable()
export class OperatorIssuer {
  constructor(
    private readonly users: UsersDirectory,
    private readonly logins: LoginIssuer,
    private readonly clients: ClientsService,
    private readonly credentials: ClientCredentialsGrant,
    private readonly secretKeys: SecretKeyRegister,
  ) {}

  /**
   * @returns undefined if the user does not exist or is disabled
   * @throws WireError invalid_scope; Unavailable
   */
  async toUser(name: string, request: LoginRequest): Promise<IssuedToken | undefined> {
    const user = await this.users.findWithHash(name);
    if (!user || user.disabledAt) return undefined;
    await this.secretKeys.moves();
    return this.logins.issue(user, request, OPERATOR, { actor: 'operator', label: OPERATOR_LABEL });
  }

  /**
   * @returns undefined if the client does not exist or is disabled
   * @throws WireError unauthorized_client, invalid_dpop_proof, invalid_scope; Unavailable
   */
  async toClient(clientId: string, scope: string | undefined): Promise<IssuedToken | undefined> {
    const client = await this.clients.find(clientId);
    if (!client || client.disabled) return undefined;
    await this.secretKeys.moves();
    if (client.dpopBound) throw WireError.because('always_bound');
    const who = { ...client, isApp: isApp(client), isBound: false };
    return this.credentials.exchange(who, { scope }, OPERATOR, 'operator');
  }
}
