import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';

const NAME = /^[A-Za-z0-9_-]{1,200}$/;

/**
 * Two cookies: `session` says who is signed in, `visit` says which browser was shown a form. Over HTTPS their names
 * begin with `__Host-`, so neither a neighbouring host nor a plain connection can set them. Plain HTTP is for
 * development on this computer. Not every browser keeps `__Host-` cookies there, so the names lack that prefix.
 */
@Injectable()
export class BrowserCookies {
  private readonly prefix: string;
  private readonly attributes: string;

  constructor(@Inject(CONFIG) { ISSUER }: Pick<Config, 'ISSUER'>) {
    const secure = ISSUER.startsWith('https:');
    this.prefix = secure ? '__Host-keks-' : 'keks-';
    this.attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  /** Undefined if the cookie is absent, malformed or sent twice: somebody else may have planted one of two. */
  read(header: string | undefined, which: 'session' | 'visit'): string | undefined {
    const values = (header ?? '').split(';').flatMap((pair) => {
      const [name = '', value = ''] = pair.trim().split('=', 2);
      return name === this.prefix + which ? [value] : [];
    });
    const [value = ''] = values;
    return values.length === 1 && NAME.test(value) ? value : undefined;
  }

  /** The cookie lasts until the browser is closed. */
  set(which: 'session' | 'visit', value: string): string {
    return `${this.prefix}${which}=${value}${this.attributes}`;
  }

  clear(which: 'session' | 'visit'): string {
    return `${this.set(which, '')}; Max-Age=0`;
  }
}
