import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { ApiPage } from './api-page.js';
import { PAGE_LINKS, PageFiles, partsOf, type PageLinks } from './page-files.js';

const PAGE = 'story.html';

const PARTS = partsOf('story');

/**
 * The story of the three parties, played with real requests. The page is a client like any other, without special
 * rights.
 */
@Public()
@Controller()
export class StoryController {
  private readonly files: PageFiles;

  constructor(@Inject(PAGE_LINKS) links: PageLinks) {
    this.files = new PageFiles('story', links);
  }

  @Get()
  @ApiPage(
    'The story, played in the browser with real requests',
    'Client, API and authority side by side, with each message as it is sent.',
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
