import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ApiAnswer } from '../../http/openapi/api-answer.js';
import { GuardDirectory } from '../leases/guard-directory.js';
import { guardsAnswer, type GuardsAnswer } from './admin-guards.schemas.js';
import { ForAdmins } from './for-admins.js';

/** Which guards check JWTs alone, and how far they are: for operators who see that revokes take long. */
@Controller('admin/guards')
@ForAdmins()
export class AdminGuardsController {
  constructor(private readonly directory: GuardDirectory) {}

  @Get()
  @ApiOperation({
    summary: 'Guards that check JWTs alone, of all instances',
    description:
      'A revoke waits for a guard until it has confirmed it, or its lease is over. Each instance describes its guards when it renews their leases, so what is here is a little old.',
    tags: ['admin'],
  })
  @ApiAnswer(200, guardsAnswer, 'All of them.')
  async list(): Promise<GuardsAnswer> {
    const { instances, guards } = await this.directory.list();
    return {
      instances: instances.map((one) => ({
        instance: one.instance,
        guards: one.guards,
        lease_ttl_ms: one.leaseTtl,
        renewed_ms_ago: one.renewedAgo,
        unconfirmed: one.unconfirmed,
      })),
      items: guards.map((one) => ({
        name: one.name,
        client_id: one.clientId,
        instance: one.instance,
        lease_ms: one.leaseLeft,
        behind: one.behind,
        awaited_by: one.awaited,
        described_ms_ago: one.describedAgo,
      })),
    };
  }
}
