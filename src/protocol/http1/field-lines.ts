// Cuts the field lines out of the text of a section that a FieldSectionReader has accepted. Checks nothing.
import { isCertificateField, isForbiddenInTrailers } from '../http/connection-fields.ts';
import type { FieldLines } from '../http/field-lines.ts';

/** Spellings that nearly all requests use; finding one here saves a new lower-case string for each field. */
const LOWER_CASE: ReadonlyMap<string, string> = new Map(
  [
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Authorization',
    'Cache-Control',
    'Connection',
    'Content-Length',
    'Content-Type',
    'Cookie',
    'Host',
    'If-Modified-Since',
    'If-None-Match',
    'Origin',
    'Pragma',
    'Range',
    'Referer',
    'Sec-Fetch-Dest',
    'Sec-Fetch-Mode',
    'Sec-Fetch-Site',
    'Transfer-Encoding',
    'Upgrade-Insecure-Requests',
    'User-Agent',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Requested-With',
  ].map((name) => [name, name.toLowerCase()]),
);

/** The field lines between `start` and the empty line, or the end of the text, but for those that only a server may make. */
export function parseFieldLines(text: string, start: number): string[] {
  const lines: string[] = [];
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r', at);
    if (lineEnd <= at) return lines;
    const colon = text.indexOf(':', at);
    const name = text.slice(at, colon);
    at = lineEnd + 2;
    let lower = LOWER_CASE.get(name);
    if (lower === undefined) {
      lower = name.toLowerCase();
      if (isCertificateField(lower)) continue;
    }
    lines.push(lower, sliceTrimmed(text, colon + 1, lineEnd));
  }
}

/** The field lines of a trailer section, but for those that would change how the head was read (RFC 9110 §6.5.1). */
export function parseTrailerLines(text: string): FieldLines {
  const lines = parseFieldLines(text, 0);
  const allowed: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (!isForbiddenInTrailers(name)) allowed.push(name, lines[i + 1] as string);
  }
  return allowed;
}

/** Without SP and HTAB around it (RFC 9112 §5); trim() would take U+00A0 too. */
function sliceTrimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
