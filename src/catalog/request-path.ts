// The path that handlers see: percent-decoded, dot segments removed (omni_httpd.md §6). Not the form that routes are
// matched against.
import { isCanonicalPath } from '../web/url-target.ts';

const ROOT = '/';
const PERCENT = 0x25;
const SLASH = 0x2f;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * `path` as sent, bytes as latin1 characters. What cannot be normalised (no leading `/`, a `%` without two hexadecimal
 * digits) is `/`. Null if the decoded path is no text of PostgreSQL: it has a NUL or is not UTF-8.
 */
export function requestPath(path: string): string | null {
  if (isCanonicalPath(path) && !path.includes('%')) return path;
  if (path.charCodeAt(0) !== SLASH) return ROOT;
  const bytes = percentDecode(path);
  if (bytes === null) return ROOT;
  if (bytes.includes(0)) return null;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  return text.includes('/.') ? removeDotSegments(text) : text;
}

function percentDecode(path: string): Buffer | null {
  const bytes = Buffer.from(path, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte !== PERCENT) {
      bytes[length++] = byte;
      continue;
    }
    const high = hexDigit(bytes[i + 1]);
    const low = hexDigit(bytes[i + 2]);
    if (high < 0 || low < 0) return null;
    bytes[length++] = high * 16 + low;
    i += 2;
  }
  return bytes.subarray(0, length);
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** RFC 3986 §5.2.4. Done after decoding, so that `%2e%2e` and `%2F` lead nowhere that `..` and `/` would not. */
function removeDotSegments(path: string): string {
  const segments = path.split('/').slice(1);
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (last) kept.push('');
  }
  return `/${kept.join('/')}`;
}
