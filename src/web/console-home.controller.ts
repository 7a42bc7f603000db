import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { Public } from 'keks-guard';

/** Redirects to the console, if the console is the home page. */
@Public()
@Controller()
export class ConsoleHomeController {
  /** The address is relative, because a proxy may serve this below a path of its own. */
  @Get()
  @Redirect('console', 302)
  @ApiExcludeEndpoint()
  home(): void {
    return undefined;
  }
}
