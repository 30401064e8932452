// The request target of RFC 9112 §3.2 in forms other than origin-form, taken apart. The characters have been checked.
import { isAuthority } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';

/** Which of the forms of RFC 9112 §3.2 the target was sent in. */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

export interface RequestTarget {
  readonly form: TargetForm;
  readonly scheme: 'http' | 'https' | null;
  /** Empty in asterisk-form. */
  readonly authority: string;
  /** As RequestHead.path, with the query still there. */
  readonly pathAndQuery: string;
}

const ASTERISK: RequestTarget = { form: 'asterisk', scheme: null, authority: '', pathAndQuery: '*' };
/** Only these: what a path of another scheme means is not known here, and answering it as if it were ours would be wrong. */
const ABSOLUTE = /^(https?):\/\/([^/?]*)(.*)$/i;
/** RFC 9112 §3.2.3: the port is required. */
const WITH_PORT = /:\d+$/;

/** Whether the target at `at` is in origin-form, so that there is nothing to take apart. CONNECT has authority-form only (RFC 9112 §3.2.3). */
export function isOriginForm(method: string, text: string, at: number): boolean {
  return text[at] === '/' && method !== 'CONNECT';
}

/** A target that is not in origin-form. */
export function parseRequestTarget(
  method: string,
  target: string,
  maxAuthorityBytes: number,
): RequestTarget | Http1FaultCode {
  if (method === 'CONNECT') {
    const code = checkAuthority(target, maxAuthorityBytes);
    if (code !== null) return code;
    if (!WITH_PORT.test(target)) return 'target-authority';
    return { form: 'authority', scheme: null, authority: target, pathAndQuery: '' };
  }
  if (target === '*') return method === 'OPTIONS' ? ASTERISK : 'target-form';
  const match = ABSOLUTE.exec(target);
  if (match === null) return 'target-form';
  const [, scheme = '', authority = '', rest = ''] = match;
  const code = checkAuthority(authority, maxAuthorityBytes);
  if (code !== null) return code;
  return {
    form: 'absolute',
    scheme: scheme.length === 4 ? 'http' : 'https',
    authority,
    pathAndQuery: absolutePath(method, rest),
  };
}

/** An empty path is `/` (RFC 9110 §4.2.3), and for OPTIONS without a query the whole server (RFC 9112 §3.2.4). */
function absolutePath(method: string, rest: string): string {
  if (rest === '' && method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Userinfo and an empty host are refused with the rest: RFC 9110 §4.2.1, §4.2.4. */
function checkAuthority(authority: string, maxAuthorityBytes: number): Http1FaultCode | null {
  if (authority.length > maxAuthorityBytes) return 'target-authority-too-long';
  return isAuthority(authority) ? null : 'target-authority';
}
