// Decodes omni_httpd.http_outcome (its encoding is described at the type, sql/schema/001_types.sql) and applies the rules
// that turn it into a response (omni_httpd.md §9). Does not send anything.
import { isFieldValue, isToken } from '../protocol/http/grammar.ts';
import type { WholeResponse } from '../web/exchange.ts';
import type { LocalFile } from '../web/local-files.ts';

export type Outcome =
  | { readonly kind: 'response'; readonly response: WholeResponse; readonly warning: OutcomeWarning | null }
  | { readonly kind: 'abort' }
  | { readonly kind: 'proxy'; readonly url: string; readonly preserveHost: boolean }
  | { readonly kind: 'event-stream'; readonly stream: StreamOutcome }
  | { readonly kind: 'file'; readonly file: LocalFile }
  /** Bytes that are no http_outcome, or that HTTP cannot say. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** howdah.event_stream(): what a client is to be fed with. */
export interface StreamOutcome {
  readonly channels: readonly string[];
  /** Place of the newest event that the handler could see. */
  readonly newest: string;
  /** Where a client begins that says nothing itself; null: after `newest`. */
  readonly since: string | null;
  readonly fields: readonly string[];
}

/** Something that was put right, and that the author of the handler should know. */
export interface OutcomeWarning {
  readonly message: string;
  readonly detail: string;
}

const NO_CONTENT: Outcome = {
  kind: 'response',
  response: { status: 204, fields: [], body: null },
  warning: null,
};
const ABORT: Outcome = { kind: 'abort' };

const DEFAULT_STATUS = 200;
const NULL_STATUS = -0x8000;
// 1xx are not final (RFC 9110 §15.2), and a status has three digits (§15).
const STATUS_MIN = 200;
const STATUS_MAX = 999;

/** What a byte before the body asks for as content-type, unless the handler gave one. */
const CONTENT_TYPES: readonly (string | null)[] = [
  null,
  null,
  'text/plain; charset=utf-8',
  'application/octet-stream',
  'application/json',
];

/** The body of a response is a view of `bytes`; everything else is copied. Null is the outcome null. */
export function decodeOutcome(bytes: Buffer | null): Outcome {
  if (bytes === null) return NO_CONTENT;
  try {
    switch (bytes.readUInt8(0)) {
      case 0:
        return decodeResponse(bytes);
      case 1:
        return bytes.length === 1 ? ABORT : invalid('extra bytes');
      case 2:
        return decodeProxy(bytes);
      case 3:
        return decodeStream(bytes);
      case 4:
        return decodeFile(bytes);
      default:
        return invalid('unknown variant');
    }
  } catch (error) {
    // Buffer throws a RangeError where the bytes end early.
    if (error instanceof RangeError) return invalid('truncated');
    throw error;
  }
}

function invalid(reason: string): Outcome {
  return { kind: 'invalid', reason: `not a value of omni_httpd.http_outcome: ${reason}` };
}

function decodeProxy(bytes: Buffer): Outcome {
  // A proxy to nowhere is an abort (omni_httpd.md §9.2).
  if (bytes.length === 2) return ABORT;
  if (bytes.length < 2 || bytes[2] !== 1) return invalid('url');
  return { kind: 'proxy', url: bytes.toString('utf8', 3), preserveHost: bytes[1] !== 0 };
}

function decodeStream(bytes: Buffer): Outcome {
  let at = 1;
  const text = (): string | null => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    if (at > bytes.length) throw new RangeError('text');
    return bytes.toString('utf8', at - length, at);
  };
  const newest = text() ?? '';
  const since = text();
  const headers = noHeaders();
  at = decodeHeaders(bytes, at, headers);
  if (at === -1) return invalid('headers');
  if (headers.problem !== null) return { kind: 'invalid', reason: headers.problem };
  // One dimension: its number, flags, OID of text, length and lower bound.
  if (bytes.readInt32BE(at) !== 1) return invalid('channels');
  const channels: string[] = [];
  const count = bytes.readInt32BE(at + 12);
  at += 20;
  while (channels.length < count) channels.push(text() ?? '');
  return { kind: 'event-stream', stream: { channels, newest, since, fields: headers.fields } };
}

/** howdah.http_file (sql/objects/http_file.sql). */
function decodeFile(bytes: Buffer): Outcome {
  const headers = noHeaders();
  const flags = decodeHeaders(bytes, 1, headers);
  if (flags === -1) return invalid('headers');
  if (headers.problem !== null) return { kind: 'invalid', reason: headers.problem };
  const mount = flags + 5;
  const mountEnd = mount + bytes.readInt32BE(flags + 1);
  const path = mountEnd + 4;
  const pathEnd = path + bytes.readInt32BE(mountEnd);
  if (pathEnd > bytes.length) return invalid('path');
  const file = {
    mount: bytes.toString('utf8', mount, mountEnd),
    path: bytes.toString('utf8', path, pathEnd),
    shownPath: bytes.toString('utf8', pathEnd),
    listing: bytes.readUInt8(flags) === 1,
    fields: headers.fields,
  };
  return { kind: 'file', file };
}

/** What the headers of an outcome say that is not sent as it is. */
interface Headers {
  readonly fields: string[];
  contentLength: string | null;
  hasContentType: boolean;
  /** Why one of them cannot be sent. */
  problem: string | null;
}

function noHeaders(): Headers {
  return { fields: [], contentLength: null, hasContentType: false, problem: null };
}

function decodeResponse(bytes: Buffer): Outcome {
  const stored = bytes.readInt16BE(1);
  const status = stored === NULL_STATUS ? DEFAULT_STATUS : stored;
  if (status < STATUS_MIN || status > STATUS_MAX) {
    return { kind: 'invalid', reason: `the status ${status} cannot be sent` };
  }
  const headers = noHeaders();
  const at = decodeHeaders(bytes, 3, headers);
  if (at === -1) return invalid('headers');
  if (headers.problem !== null) return { kind: 'invalid', reason: headers.problem };
  if (at === bytes.length) {
    return { kind: 'response', response: { status, fields: headers.fields, body: null }, warning: null };
  }
  const contentType = CONTENT_TYPES[bytes.readUInt8(at)];
  if (contentType === undefined) return invalid('body');
  if (contentType !== null && !headers.hasContentType) headers.fields.push('content-type', contentType);
  const whole = bytes.subarray(at + 1);
  const body = cutBody(whole, headers.contentLength);
  return {
    kind: 'response',
    response: { status, fields: headers.fields, body },
    warning: lengthWarning(headers, whole),
  };
}

/** Returns the offset after the array of headers, or -1. */
function decodeHeaders(bytes: Buffer, start: number, headers: Headers): number {
  const dimensions = bytes.readInt32BE(start);
  if (dimensions === -1) return start + 4;
  let at = start + 12;
  let count = dimensions === 0 ? 0 : 1;
  for (let dimension = 0; dimension < dimensions; dimension++) {
    count *= bytes.readInt32BE(at);
    at += 8;
  }
  for (let element = 0; element < count; element++) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === -1) continue;
    // Number of columns, OID of text.
    const nameLength = bytes.readInt32BE(at + 8);
    const nameStart = at + 12;
    const nameEnd = nameStart + Math.max(0, nameLength);
    const valueLength = bytes.readInt32BE(nameEnd + 4);
    const valueStart = nameEnd + 8;
    at = valueStart + Math.max(0, valueLength);
    if (at > bytes.length) return -1;
    const name = nameLength < 0 ? null : fieldText(bytes, nameStart, nameEnd);
    addHeader(headers, name, valueLength < 0 ? null : fieldText(bytes, valueStart, at));
  }
  return at;
}

/** The bytes as latin1 text, which is how fields go through the engine: a value in UTF-8 goes out as its bytes. */
function fieldText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

function addHeader(headers: Headers, name: string | null, value: string | null): void {
  if (name === null) return;
  // Names that differ in length cannot be one of the two; most do.
  if (name.length === 'content-type'.length && name.toLowerCase() === 'content-type') {
    headers.hasContentType = true;
  }
  if (value === null) return;
  if (name.length === 'content-length'.length && name.toLowerCase() === 'content-length') {
    headers.contentLength ??= value;
    return;
  }
  if (!isToken(name))
    headers.problem ??= `the header ${JSON.stringify(name)} cannot be sent: that is no name of a header`;
  else if (!isFieldValue(value))
    headers.problem ??= `the header ${JSON.stringify(name)} cannot be sent: its value has a control character`;
  headers.fields.push(name, value);
}

/** A content-length of the handler's cuts the body and is never sent as it is (omni_httpd.md §9.1). */
function cutBody(body: Buffer, contentLength: string | null): Buffer {
  if (contentLength === null) return body;
  const length = lengthOf(contentLength);
  return length < body.length ? body.subarray(0, length) : body;
}

/** As C's strtoll reads it, which the rule comes from: leading digits count, and what is no number is 0. */
function lengthOf(value: string): number {
  return Math.max(0, Number.parseInt(value, 10) || 0);
}

function lengthWarning(headers: Headers, body: Buffer): OutcomeWarning | null {
  if (headers.contentLength === null) return null;
  const length = lengthOf(headers.contentLength);
  if (length <= body.length) return null;
  return {
    message: 'Content-Length overflow',
    detail: `Content-Length is set at ${length}, but actual body is ${body.length}`,
  };
}
