import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Clock } from '../../../database/clock.js';
import { WireError } from '../../../http/errors/wire-error.js';
import { ClientsService, type ClientRecord } from '../../clients/clients.service.js';
import { SelfRegisteredClients } from '../../clients/self-registered-clients.js';
import type { RequestOrigin } from '../../request-origin.js';
import { ClientDocument } from '../client-document.entity.js';
import { DocumentReader, type Described } from './document-reader.js';

/** Owns clients that are named by the address of their metadata: what the document says, and for how long it counts. */
@Injectable()
export class ClientDocuments {
  /** Requests for the same document at the same time share one reading. */
  private readonly running = new Map<string, Promise<ClientRecord | undefined>>();

  constructor(
    private readonly reader: DocumentReader,
    private readonly clients: ClientsService,
    private readonly registered: SelfRegisteredClients,
    @InjectRepository(ClientDocument) private readonly documents: Repository<ClientDocument>,
    private readonly clock: Clock,
  ) {}

  /** Whether the name is an address of metadata, and such names are switched on. */
  isOne(clientId: string): boolean {
    return this.reader.reads(clientId);
  }

  /**
   * The client as its document says now, or said when it was last read.
   * @returns undefined if there is no document that counts
   * @throws WireError too_many_requests; Unavailable
   */
  async find(clientId: string, origin: RequestOrigin): Promise<ClientRecord | undefined> {
    const { known, counts } = await this.look(clientId);
    if (counts) return known;
    const before = this.running.get(clientId);
    if (before) return before;
    const reading = this.read(clientId, origin).finally(() => this.running.delete(clientId));
    this.running.set(clientId, reading);
    return reading;
  }

  /** The stored client, and whether it counts without another reading. */
  private async look(
    clientId: string,
  ): Promise<{ readonly known: ClientRecord | undefined; readonly counts: boolean }> {
    const known = await this.clients.find(clientId);
    if (!known || known.disabled) return { known, counts: known !== undefined };
    const document = await this.documents.findOneBy({ clientId });
    return { known, counts: (document?.freshUntil.getTime() ?? 0) > this.clock.now() };
  }

  private async read(clientId: string, origin: RequestOrigin): Promise<ClientRecord | undefined> {
    // another request may have read the document meanwhile
    const { known, counts } = await this.look(clientId);
    if (counts) return known;
    const described = await this.reader.read(clientId, origin);
    if (!described) return undefined;
    return known ? this.change(known, described, origin) : this.add(clientId, described, origin);
  }

  /** @throws WireError too_many_requests */
  private async add(
    clientId: string,
    { client, freshUntil }: Described,
    origin: RequestOrigin,
  ): Promise<ClientRecord | undefined> {
    const added = await this.registered.add({
      ...{ client, isPublic: !client.jwks, clientId, origin },
      also: async ({ entities }) => {
        await entities.insert(ClientDocument, { clientId, freshUntil });
        return { metadata_document: true };
      },
    });
    if (added === 'full') throw new WireError('too_many_requests', { 'Retry-After': '3600' });
    // another instance was quicker
    return added === 'there' ? this.clients.find(clientId) : added;
  }

  private async change(
    known: ClientRecord,
    { client, freshUntil }: Described,
    origin: RequestOrigin,
  ): Promise<ClientRecord | undefined> {
    const { clientId } = known;
    const { name, scope, redirectUris = [], requirePushed = false, dpopBound = false, jwks } = client;
    let now: ClientRecord = known;
    // a client cannot change between having keys and having none
    if ((jwks === undefined) !== (known.jwks === undefined)) return undefined;
    const said = { name, redirectUris, requirePushed, dpopBound, jwks };
    if (!isSame(known, { ...said, scope: scope.join(' ') })) {
      const by = { actor: `client:${clientId}`, origin };
      const changed = await this.clients.change(clientId, { ...said, scope }, by);
      if (!changed || 'flaw' in changed) return undefined;
      now = changed;
    }
    await this.documents.update({ clientId }, { freshUntil });
    return now;
  }
}

type Said = Pick<ClientRecord, 'name' | 'scope' | 'redirectUris' | 'requirePushed' | 'dpopBound' | 'jwks'>;

function isSame(before: Said, after: Said): boolean {
  return spelled(before) === spelled(after);
}

function spelled({ name, scope, redirectUris, requirePushed, dpopBound, jwks }: Said): string {
  const keys = jwks?.map((key) => Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([name, scope, redirectUris, requirePushed, dpopBound, keys]);
}
