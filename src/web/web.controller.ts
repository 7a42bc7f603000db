import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Public } from '../guard/principal.js';

@Public()
@Controller()
export class WebController {
  /** Whoever opens the address in a browser finds something to try. */
  @Get()
  @Redirect('docs', 302)
  @ApiOperation({ summary: 'Leads to the Swagger UI', tags: ['pages'] })
  @ApiResponse({ status: 302, description: 'To /docs.' })
  index(): void {
    // @Redirect says it all
  }
}
