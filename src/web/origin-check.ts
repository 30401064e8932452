// Whether a page may open a connection that browsers let any page open, with the user's cookies: WebSockets (RFC 6455 §10.2).
import { getField } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';

/** `same`: pages of the host that is asked; a list: also pages of these origins; `any`: all. Who is no browser says no origin, and may. */
export type AllowedOrigins = 'same' | 'any' | readonly string[];

export function isAllowedOrigin(head: RequestHead, allowed: AllowedOrigins): boolean {
  const origin = getField(head.fields, 'origin');
  if (allowed === 'any' || origin === undefined) return true;
  if (isSameHost(origin, head.authority)) return true;
  return allowed !== 'same' && allowed.includes(origin);
}

/** A port that is the default of the page's scheme may be said or left out (RFC 9110 §4.2.3). */
function isSameHost(origin: string, authority: string): boolean {
  const page = URL.parse(origin);
  return (
    page !== null && page.host !== '' && page.host === URL.parse(`${page.protocol}//${authority}/`)?.host
  );
}
