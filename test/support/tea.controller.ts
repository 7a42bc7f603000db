import { Controller, Get } from '@nestjs/common';
import { RequireScope } from 'keks-guard';

/** The API of tests that are about its guard. */
@Controller('tea')
export class TeaController {
  @Get()
  @RequireScope('tea:pour')
  pour(): object {
    return { tea: 'Assam' };
  }
}
