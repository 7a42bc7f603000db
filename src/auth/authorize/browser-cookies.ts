import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';

const NAME = /^[A-Za-z0-9_-]{1,200}$/;

/**
 * Two cookies: who is signed in, and which browser was shown a form. Over HTTPS they are `__Host-` ones, which no neighbour's
 * name and no plain connection can set. Over plain HTTP, which is for development on this computer, not every browser keeps
 * those, so they have a name without it.
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

  /** Undefined if it is not there, or there twice: two would be somebody's trick. */
  read(header: string | undefined, which: 'session' | 'visit'): string | undefined {
    const values = (header ?? '').split(';').flatMap((pair) => {
      const [name = '', value = ''] = pair.trim().split('=', 2);
      return name === this.prefix + which ? [value] : [];
    });
    const [value = ''] = values;
    return values.length === 1 && NAME.test(value) ? value : undefined;
  }

  /** Until the browser is closed. */
  set(which: 'session' | 'visit', value: string): string {
    return `${this.prefix}${which}=${value}${this.attributes}`;
  }

  clear(which: 'session' | 'visit'): string {
    return `${this.set(which, '')}; Max-Age=0`;
  }
}
