import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { askForCodes, codesOf, sendForm, signInAtDevice } from './device.js';
import { BY_OPERATOR } from './oauth.js';
import { PASSWORD, type TestApp } from './test-app.js';
import { authorizePath, hiddenOf, pkce, Visitor, type Shown } from './visitor.js';

/** Routes that are in no document of the API, by `METHOD route`: the longest requests that they take, and what is answered. */
export type PageInputs = Readonly<Record<string, readonly PageInput[]>>;

interface PageInput {
  readonly path: string;
  readonly init?: RequestInit;
  readonly wanted: readonly number[];
}

/** What lies in a folder and is sent as it is: nothing of a request is looked at but its name. */
export function isPageFile(route: string): boolean {
  return /^GET \/(?:docs\/)*[\w-]+(?:\.(?:js|css|svg|html))$|^GET \/docs\/(?:LICENSE|index\.html)?$/.test(
    route,
  );
}

const DONE = 'https://app.example/done';
/** Node takes 16 KiB of headers and address together. */
const ADDRESS = 12_000;
const BODY = 60_000;
const HARD = ['ab-', '%', '&a=1', '<&">', 'ä'];

const hard = (part: string, length: number): string => part.repeat(length).slice(0, length).toWellFormed();

export async function pageInputs(keks: TestApp): Promise<PageInputs> {
  const { clientId } = await keks.app.get(ClientsService).addPublic(
    {
      name: 'n'.repeat(128),
      scope: ['cookies:eat', 'cookies:bake'],
      audience: [],
      resources: [],
      tokenFormat: 'opaque',
      redirectUris: [DONE],
    },
    BY_OPERATOR,
  );
  const parameters = { client_id: clientId, redirect_uri: DONE, code_challenge: pkce().challenge };
  const visitor = new Visitor(keks.url);
  const login = await visitor.open(authorizePath(parameters));
  const before = cookiesOf(visitor);
  const consent = await visitor.signIn(login, 'Ann');
  const session = cookiesOf(visitor);

  const ask = (more: Record<string, string>, cookie: string): PageInput => ({
    path: authorizePath({ ...parameters, ...more }),
    init: { headers: { cookie } },
    wanted: [200, 303, 400],
  });
  const long = Object.keys({ ...parameters, state: 1, scope: 1, resource: 1, prompt: 1, response_mode: 1 });
  const asked = [before, session].flatMap((cookie) =>
    long.flatMap((name) => HARD.map((part) => ask({ [name]: hard(part, ADDRESS / spelled(part)) }, cookie))),
  );
  const cookies = HARD.filter((part) => part !== 'ä').map((part) => ask({}, hard(`${part};`, ADDRESS)));

  const form = (fields: Record<string, string>, cookie: string): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie },
    body: new URLSearchParams(fields).toString(),
  });
  /** Each field of a form that is right otherwise, as long as a body may be. */
  const forms = (path: string, fields: Record<string, string>, cookie: string): PageInput[] =>
    [undefined, ...Object.keys(fields), 'other'].flatMap((name) =>
      (name === undefined ? [''] : HARD).map((part) => ({
        path,
        init: form({ ...fields, ...(name && { [name]: hard(part, BODY / spelled(part)) }) }, cookie),
        wanted: [200, 303, 400, 403, 429],
      })),
    );
  const many = (path: string, cookie: string): PageInput => ({
    path,
    init: { ...form({}, cookie), body: Array.from({ length: 9_000 }, (_, at) => `a${at}=`).join('&') },
    wanted: [400, 413],
  });

  const shown = (path: string): PageInput[] => [
    { path, wanted: [200, 302] },
    { path: `${path}?${hard('a=%41&', ADDRESS)}`, wanted: [200, 302] },
  ];
  const device = await deviceForms(keks);
  return {
    'GET /device': shown('/device'),
    'POST /device/login': forms(
      '/device/login',
      { ...device.login, user: 'Ann', password: PASSWORD },
      before,
    ),
    'POST /device/code': forms('/device/code', device.code, device.cookie),
    'POST /device/consent': forms(
      '/device/consent',
      { ...device.consent, decision: 'allow', remember: 'yes' },
      device.cookie,
    ),
    'POST /device/sign-out': forms('/device/sign-out', hiddenOf(device.page, 'sign-out'), device.cookie),
    'GET /password-reset': shown('/password-reset'),
    'POST /password-reset': forms('/password-reset', { code: 'x', password: PASSWORD, again: PASSWORD }, ''),
    'GET /': shown('/'),
    'GET /console': shown('/console'),
    'GET /docs': shown('/docs'),
    'GET /docs-json': shown('/docs-json'),
    'ANY /docs/*': [{ path: `/docs/${hard('a%2F..%2F/', ADDRESS)}`, wanted: [400, 404] }],
    'GET /oauth/authorize': [...asked, ...cookies],
    'POST /oauth/authorize/login': [
      ...forms('/oauth/authorize/login', { ...hiddenOf(login), user: 'Ann', password: PASSWORD }, before),
      many('/oauth/authorize/login', before),
    ],
    'POST /oauth/authorize/consent': [
      ...forms(
        '/oauth/authorize/consent',
        { ...hiddenOf(consent), decision: 'allow', remember: 'yes' },
        session,
      ),
      many('/oauth/authorize/consent', session),
    ],
    // the last of all: a form that is right ends the session
    'POST /oauth/authorize/sign-out': forms(
      '/oauth/authorize/sign-out',
      hiddenOf(consent, 'sign-out'),
      session,
    ),
  };
}

/** The fields of the three forms at /device, and the cookies of who has signed in there. */
async function deviceForms(keks: TestApp): Promise<{
  readonly login: Record<string, string>;
  readonly code: Record<string, string>;
  readonly consent: Record<string, string>;
  readonly page: Shown;
  readonly cookie: string;
}> {
  const { clientId } = await keks.app.get(ClientsService).addPublic(
    {
      name: 'n'.repeat(100),
      scope: ['cookies:eat', 'cookies:bake'],
      audience: [],
      resources: [],
      tokenFormat: 'opaque',
      deviceGrant: true,
    },
    BY_OPERATOR,
  );
  const { user_code: userCode } = codesOf(await askForCodes(keks.url, { client_id: clientId }));
  const visitor = new Visitor(keks.url);
  const login = hiddenOf(await visitor.open('/device'));
  const typed = await signInAtDevice(visitor, 'Ann');
  const consent = await sendForm(visitor, typed, 'code', { user_code: userCode });
  return {
    login,
    code: { ...hiddenOf(typed), user_code: userCode },
    consent: hiddenOf(consent),
    page: consent,
    cookie: cookiesOf(visitor),
  };
}

/** Bytes of a text in an address or a form, for each of its characters. */
function spelled(part: string): number {
  return Math.max(1, encodeURIComponent(part).length / part.length);
}

function cookiesOf({ cookies }: Visitor): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
