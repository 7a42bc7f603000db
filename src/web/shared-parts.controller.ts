import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { PAGE_LINKS, PageFiles, SHARED, type PageLinks } from './page-files.js';

/** Serves the files that every page loads, whichever pages are served. */
@Public()
@Controller()
export class SharedPartsController {
  private readonly files: PageFiles;

  constructor(@Inject(PAGE_LINKS) links: PageLinks) {
    this.files = new PageFiles('shared', links);
  }

  @Get([...SHARED])
  @ApiExcludeEndpoint()
  part(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.files.send(request, reply);
  }
}
