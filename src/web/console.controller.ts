import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { ApiPage } from './api-page.js';
import { PAGE_LINKS, PageFiles, partsOf, type PageLinks } from './page-files.js';

const PAGE = 'console.html';

const PARTS = partsOf('console');

/**
 * The console, for people with a login. The page holds no secret and decides nothing: it calls the API, and the API
 * judges the token.
 */
@Public()
@Controller()
export class ConsoleController {
  private readonly files: PageFiles;

  constructor(@Inject(PAGE_LINKS) links: PageLinks) {
    this.files = new PageFiles('console', links);
  }

  @Get('console')
  @ApiPage(
    'The console, for people with a login',
    'Sessions, API keys, consents and the password; with the scope `keks:admin`, those of everybody.',
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
