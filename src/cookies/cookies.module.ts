import { Module } from '@nestjs/common';
import { CookiesController } from './cookies.controller.js';

/** Owns the cookies: the protected API of the story. It never sees a token; the guard has dealt with it. */
@Module({ controllers: [CookiesController] })
export class CookiesModule {}
