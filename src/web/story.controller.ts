import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../guard/principal.js';
import { readPageFile, type PageFile } from './page.files.js';

const PAGE = 'story.html';

/** What the page consists of, each at its own name: the policy allows nothing inline. */
const PARTS = [
  'story.css',
  'story.js',
  'story-exchange.js',
  'story-jwt.js',
  'story-scenes.js',
  'story-trouble.js',
  'story-view.js',
  'story.svg',
] as const;

/** Its own scripts, its own server, inside nobody's frame: it is a page on which people may type passwords. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The story of the three parties, played with real requests. The page is a client like any other. */
@Public()
@Controller()
export class StoryController {
  private readonly files: ReadonlyMap<string, PageFile> = new Map(
    [PAGE, ...PARTS].map((name) => [name, readPageFile(name)]),
  );

  @Get()
  @ApiOperation({
    summary: 'The story, played in the browser with real requests',
    description: 'Client, API and authority side by side, with each message as it is sent.',
    tags: ['pages'],
  })
  @ApiProduces('text/html')
  @ApiResponse({
    status: 200,
    description: 'The page.',
    content: { 'text/html': { schema: { type: 'string' }, example: '<!doctype html>...' } },
  })
  page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.header('content-security-policy', POLICY);
    this.send(PAGE, request, reply);
  }

  @Get([...PARTS])
  @ApiExcludeEndpoint()
  part(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.send(request.routeOptions.url?.slice(1) ?? '', request, reply);
  }

  private send(name: string, request: FastifyRequest, reply: FastifyReply): void {
    const file = this.files.get(name);
    if (!file) throw new Error(`no file for ${name}`);
    reply.header('cache-control', 'no-cache').header('etag', file.etag);
    // a proxy that compresses makes the tag a weak one
    if (request.headers['if-none-match']?.includes(file.etag)) reply.code(304).send();
    else reply.type(file.type).send(file.body);
  }
}
