// What RFC 9110 asks of a response whatever it is made of: which content-length it has, and which trailers. Not how either is written:
// sender.ts.
import { isForbiddenInTrailers } from '../http/connection-fields.ts';
import type { FieldLines } from '../http/field-lines.ts';
import { parseDecimal } from '../http/grammar.ts';
import { responseField } from '../http/response-field-edit.ts';
import { NO_CONTENT_LENGTH } from './hpack/encoder.ts';
import type { Http2Stream } from './stream.ts';

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * The content-length to send. RFC 9110 §8.6: none in a 204 or a success of CONNECT, and the application's own where no content follows that
 * could be counted, in the answer to HEAD and in a 304; §15.3.6: 0 in a 205.
 */
export function announcedLength(
  stream: Http2Stream,
  status: number,
  fields: FieldLines,
  contentLength: number | null,
): number {
  if (status === 205) return 0;
  if (status === 204 || (stream.connect && isSuccess(status))) return NO_CONTENT_LENGTH;
  if (contentLength !== null) return contentLength;
  if (!stream.withoutContent && status !== 304) return NO_CONTENT_LENGTH;
  return parseDecimal(responseField(fields, 'content-length') ?? '') ?? NO_CONTENT_LENGTH;
}

/** Without what RFC 9110 §6.5.1 keeps out of a trailer section. */
export function withoutForbidden(trailers: FieldLines): FieldLines {
  const allowed: string[] = [];
  for (let i = 0; i < trailers.length; i += 2) {
    const [name = '', value = ''] = [trailers[i], trailers[i + 1]];
    if (!isForbiddenInTrailers(name.toLowerCase())) allowed.push(name, value);
  }
  return allowed;
}
