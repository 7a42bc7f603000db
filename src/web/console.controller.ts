import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../guard/principal.js';
import { ApiPage } from './api-page.js';
import { HAS_REFERENCE, PageFiles } from './page-files.js';

const PAGE = 'console.html';

/** What the page consists of, beside what it shares with the story. */
const PARTS = [
  'console-api.js',
  'console-audit.js',
  'console-client-secrets.js',
  'console-clients.js',
  'console-dialog.css',
  'console-dialog.js',
  'console-elements.js',
  'console-filter.js',
  'console-grants.js',
  'console-keys.js',
  'console-list.css',
  'console-list.js',
  'console-login.js',
  'console-moment.js',
  'console-numbers.css',
  'console-numbers.js',
  'console-password.js',
  'console-plot.js',
  'console-rates.js',
  'console-scope.js',
  'console-secret.js',
  'console-sessions.js',
  'console-story.js',
  'console-timeline.css',
  'console-timeline.js',
  'console-trouble.js',
  'console-users.js',
  'console-views.js',
  'console.css',
  'console.js',
] as const;

/** For people with a login. The page holds no secret and decides nothing: it asks the API as its token may. */
@Public()
@Controller()
export class ConsoleController {
  private readonly files: PageFiles;

  constructor(@Inject(HAS_REFERENCE) hasReference: boolean) {
    this.files = new PageFiles([PAGE, ...PARTS], hasReference);
  }

  @Get('console')
  @ApiPage(
    'The console, for people with a login',
    'Sessions, API keys and the password; with the scope `keks:admin`, those of everybody.',
  )
  page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.files.send(request, reply, PAGE);
  }

  @Get([...PARTS])
  @ApiExcludeEndpoint()
  part(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.files.send(request, reply);
  }
}
