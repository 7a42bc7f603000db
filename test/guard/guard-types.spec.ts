import type { DynamicModule } from '@nestjs/common';
import { JwtValidator, type JwtValidatorOptions } from 'keks-guard/jwt';
import { RemoteValidator, type RemoteValidatorOptions } from 'keks-guard/remote';
import { Guarded } from 'keks-guard/swagger';
import { describe, expectTypeOf, it } from 'vitest';
import * as guard from 'keks-guard';

/** What the compiler promises to those who use `keks/guard`. It is the type check that fails, not the run. */
describe('types of keks/guard', () => {
  it('a verdict has a principal or a reason, never both and never neither', () => {
    expectTypeOf<guard.Validation>().toEqualTypeOf<
      | { readonly active: true; readonly principal: guard.Principal }
      | { readonly active: false; readonly reason: guard.RefusalReason }
    >();
    // @ts-expect-error the principal only after a look at `active`
    expectTypeOf((validation: guard.Validation) => validation.principal).toBeFunction();
  });

  it('a principal cannot be changed, and its grant is not always known', () => {
    expectTypeOf<guard.Principal['scope']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<guard.Principal['grantId']>().toEqualTypeOf<string | undefined>();
    // @ts-expect-error read-only
    expectTypeOf((principal: guard.Principal) => (principal.subject = 'admin')).toBeFunction();
  });

  it('all validators are one port', () => {
    expectTypeOf<RemoteValidator>().toExtend<guard.TokenValidator>();
    expectTypeOf<JwtValidator>().toExtend<guard.TokenValidator>();
    expectTypeOf<guard.TokenValidator['validate']>().toEqualTypeOf<
      (token: string, traceparent?: string) => Promise<guard.Validation>
    >();
  });

  it('the options that must be given', () => {
    expectTypeOf<RequiredOf<RemoteValidatorOptions>>().toEqualTypeOf<
      'introspectionEndpoint' | 'clientId' | 'clientSecret'
    >();
    expectTypeOf<RequiredOf<JwtValidatorOptions>>().toEqualTypeOf<'issuer' | 'audience'>();
    expectTypeOf<RequiredOf<guard.GuardModuleOptions>>().toEqualTypeOf<'realm' | 'validator'>();
  });

  it('a validator is given as it is, or as a provider without its token', () => {
    const forRoot = guard.GuardModule.forRoot;
    type Validator = Parameters<typeof forRoot>[0]['validator'];
    expectTypeOf(forRoot).returns.toEqualTypeOf<DynamicModule>();
    expectTypeOf<RemoteValidator>().toExtend<Validator>();
    expectTypeOf<{ useExisting: typeof RemoteValidator }>().toExtend<Validator>();
    expectTypeOf<{ useClass: typeof JwtValidator }>().toExtend<Validator>();
    expectTypeOf<{ useFactory: () => Promise<JwtValidator>; inject: [] }>().toExtend<Validator>();
    expectTypeOf<string>().not.toExtend<Validator>();
    expectTypeOf<{ useValue: string }>().not.toExtend<Validator>();
  });

  it('a required scope is at least one', () => {
    expectTypeOf(guard.RequireScope).toBeCallableWith('cookies:eat', 'cookies:bake');
    // @ts-expect-error none is no requirement
    expectTypeOf(guard.RequireScope).toBeCallableWith();
    expectTypeOf(Guarded).toBeCallableWith();
    expectTypeOf<ReturnType<typeof Guarded>>().toExtend<MethodDecorator & ClassDecorator>();
  });

  it('faults have a closed list of codes', () => {
    expectTypeOf<guard.NoVerdict['code']>().toEqualTypeOf<
      'unreachable' | 'timed_out' | 'overloaded' | 'credentials_refused' | 'bad_answer'
    >();
  });
});

type RequiredOf<T> = { [K in keyof T]-?: T extends Record<K, T[K]> ? K : never }[keyof T];
