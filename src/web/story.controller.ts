import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../guard/principal.js';
import { ApiPage } from './api-page.js';
import { HAS_REFERENCE, PageFiles, partsOf, SHARED } from './page-files.js';

const PAGE = 'story.html';

const PARTS = [...partsOf('story'), SHARED];

/** The story of the three parties, played with real requests. The page is a client like any other. */
@Public()
@Controller()
export class StoryController {
  private readonly files: PageFiles;

  constructor(@Inject(HAS_REFERENCE) hasReference: boolean) {
    this.files = new PageFiles('story', hasReference);
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
