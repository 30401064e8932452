// Which responses are worth compressing, and may be. Compresses nothing.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import { responseField } from '../protocol/http/response-field-edit.ts';

/**
 * Text in all its forms, and the few binary formats that are not compressed by themselves. What is not here is left alone:
 * images, video, archives, and what nobody says the type of.
 */
const COMPRESSIBLE =
  /^\s*(?:text\/[^;]*|[^;]+\+(?:json|xml|text|yaml)|application\/(?:json5?|(?:x-)?(?:javascript|ndjson|yaml)|ecmascript|jsonl|json-seq|xml(?:-dtd)?|wasm|toml|sql|rtf|graphql|x-sh|postscript|x-www-form-urlencoded)|font\/(?:ttf|otf|collection|sfnt)|image\/(?:bmp|x-icon|vnd\.microsoft\.icon)|model\/(?:gltf-binary|stl|obj|mtl))\s*(?:;|$)/i;

/** Whether content of that type gets smaller. */
export function isCompressibleType(contentType: string): boolean {
  return COMPRESSIBLE.test(contentType);
}

const NO_TRANSFORM = /(?:^|,)\s*no-transform\s*(?:,|$)/i;

/** Fields that speak of the very bytes of the content, and would be wrong after compression. */
const OF_THE_BYTES = [
  'content-encoding',
  'content-range',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
];

/**
 * Whether a response may be compressed: it has content of a type that gets smaller, is not in a coding already, is no part of
 * something, and its maker does not forbid it (RFC 9110 §7.7).
 */
export function mayCompress(
  status: number,
  fields: FieldLines,
  isWorthIt: (contentType: string) => boolean,
): boolean {
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  const contentType = responseField(fields, 'content-type');
  if (contentType === undefined || !isWorthIt(contentType)) return false;
  if (OF_THE_BYTES.some((name) => responseField(fields, name) !== undefined)) return false;
  return !NO_TRANSFORM.test(responseField(fields, 'cache-control') ?? '');
}

/** An event stream is read as it comes, whatever its maker says of buffering. */
export function isEventStream(fields: FieldLines): boolean {
  return /^\s*text\/event-stream\b/i.test(responseField(fields, 'content-type') ?? '');
}
