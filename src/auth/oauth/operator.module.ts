import { Module } from '@nestjs/common';
import { LoginsModule } from '../account/logins.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { UsersModule } from '../users/users.module.js';
import { ClientCredentialsModule } from './client-credentials.module.js';
import { OperatorIssuer } from './operator-issuer.js';

/** Owns the tokens that the operator issues without a password or a secret; never what comes over HTTP. */
@Module({
  imports: [ClientCredentialsModule, ClientsModule, LoginsModule, SecretsModule, UsersModule],
  providers: [OperatorIssuer],
  exports: [OperatorIssuer],
})
export class OperatorModule {}
