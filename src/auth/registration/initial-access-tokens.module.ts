import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InitialAccessToken } from './initial-access-token.entity.js';
import { InitialAccessTokens } from './initial-access-tokens.js';

/** Owns the tokens with which somebody may register clients; never the clients. */
@Module({
  imports: [TypeOrmModule.forFeature([InitialAccessToken])],
  providers: [InitialAccessTokens],
  exports: [InitialAccessTokens],
})
export class InitialAccessTokensModule {}
