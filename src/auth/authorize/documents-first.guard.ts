import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WireError } from '../../http/errors/wire-error.js';
import { presentedClient, type ClientRequest } from '../clients/client-credentials.js';
import { ClientDocuments } from '../registration/documents/client-documents.js';
import { originOf, type HttpRequest } from '../request-origin.js';

interface NamingRequest extends ClientRequest, HttpRequest {
  readonly headers: ClientRequest['headers'] & HttpRequest['headers'];
}

/**
 * Reads the metadata document of a client before the client authenticates. A client that is named by the address of its
 * metadata may push a request before any browser comes for it, so Keks may not know the client yet.
 */
@Injectable()
export class DocumentsFirstGuard implements CanActivate {
  constructor(private readonly documents: ClientDocuments) {}

  /** Leaves a faulty request to the guard behind this one. @throws WireError too_many_requests; Unavailable */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<NamingRequest>();
    const clientId = namedBy(request);
    if (clientId !== undefined && this.documents.isOne(clientId))
      await this.documents.find(clientId, originOf(request));
    return true;
  }
}

function namedBy(request: ClientRequest): string | undefined {
  try {
    const presented = presentedClient(request);
    return presented === 'nobody' ? undefined : presented.clientId;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
