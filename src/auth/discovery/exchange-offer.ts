import { Injectable } from '@nestjs/common';
import { Clock } from '../../database/clock.js';
import { Unavailable } from '../../http/errors/unavailable.js';
import { ClientsService } from '../clients/clients.service.js';

const EVERY_MS = 10_000;

/**
 * Whether any client may exchange tokens (RFC 8693). Anybody may ask for the metadata, so the database is asked at most
 * every 10 seconds.
 */
@Injectable()
export class ExchangeOffer {
  private answer: Promise<boolean> | undefined;
  private askedAt = -Infinity;

  constructor(
    private readonly clients: ClientsService,
    private readonly clock: Clock,
  ) {}

  /** While the database is away, the answer before stays: nobody can change it then. @throws Unavailable if there was none */
  isMade(): Promise<boolean> {
    const now = this.clock.now();
    if (this.answer && Math.abs(now - this.askedAt) < EVERY_MS) return this.answer;
    this.askedAt = now;
    this.answer = this.ask(this.answer);
    return this.answer;
  }

  private async ask(before: Promise<boolean> | undefined): Promise<boolean> {
    try {
      return await this.clients.anyMayExchange();
    } catch (error) {
      if (error instanceof Unavailable && before) return before;
      // the next question is not answered by this fault
      this.answer = undefined;
      throw error;
    }
  }
}
