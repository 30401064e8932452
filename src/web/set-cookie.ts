// Cookies that a response sets (RFC 6265 §4.1, with SameSite and Partitioned), by the `cookie` package.
import { stringifySetCookie } from 'cookie';

/** Attributes of a cookie (RFC 6265 §4.1). */
export interface CookieAttributes {
  /** Seconds until it is forgotten; 0 forgets it now. Without this and `expires`: when the browser is closed. */
  readonly maxAge?: number;
  readonly expires?: Date;
  /** Default: the host of the request only. */
  readonly domain?: string;
  /** Default `/`. */
  readonly path?: string;
  /** Sent over https only. Default true. */
  readonly secure?: boolean;
  /** Not shown to scripts. Default true. */
  readonly httpOnly?: boolean;
  /** Default lax, as browsers have it. `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Kept apart by the site on whose pages it is set. */
  readonly partitioned?: boolean;
  readonly priority?: 'low' | 'medium' | 'high';
}

/**
 * Adds a cookie to the fields of a response. The value may be any text: it is percent-encoded.
 * @throws TypeError where the name, or an attribute, cannot be sent, or browsers would refuse the cookie
 */
export function setCookie(
  headers: Headers,
  name: string,
  value: string,
  attributes: CookieAttributes = {},
): void {
  const { path = '/', secure = true, httpOnly = true, sameSite = 'lax', ...others } = attributes;
  if (!secure && (sameSite === 'none' || others.partitioned === true)) {
    throw new TypeError(`the cookie ${name}: sameSite none and partitioned need secure`);
  }
  if (name.startsWith('__Host-') && (!secure || path !== '/' || others.domain !== undefined)) {
    throw new TypeError(`the cookie ${name}: __Host- needs secure, the path / and no domain`);
  }
  if (name.startsWith('__Secure-') && !secure)
    throw new TypeError(`the cookie ${name}: __Secure- needs secure`);
  headers.append(
    'set-cookie',
    stringifySetCookie({ name, value, path, secure, httpOnly, sameSite, ...others }),
  );
}

/** Has the client forget a cookie: name, domain and path must be those that it was set with. */
export function deleteCookie(
  headers: Headers,
  name: string,
  attributes: Omit<CookieAttributes, 'maxAge' | 'expires'> = {},
): void {
  setCookie(headers, name, '', { ...attributes, maxAge: 0, expires: new Date(0) });
}
