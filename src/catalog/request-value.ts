// Encodes a request as a value of omni_httpd.http_request in PostgreSQL's binary format (record_send, array_send: four
// bytes length and the data of each part, big-endian), in one buffer. Does not decide what the parts are.
//
// One parameter and not `row($1, …)::omni_httpd.http_request`, because a chain uses it several times, and because it costs
// less: 26 µs against 30 µs a call on the embedded engine, for an inlined SQL function and a request with seven headers.
import type { FieldLines } from '../protocol/http/field-lines.ts';

export interface RequestTypes {
  readonly httpRequest: number;
  readonly httpMethod: number;
  readonly httpHeader: number;
  readonly httpHeaders: number;
}

export interface RequestValue {
  /** One of omni_http.http_method. */
  readonly method: string;
  readonly path: string;
  /** Bytes as latin1 characters; null where there is no `?`. */
  readonly query: string | null;
  /** null: a WebSocket handshake. */
  readonly body: Buffer | null;
  /** Address of the peer, without port. */
  readonly peer: string;
  /** Names and values in turn; values as latin1 text. */
  readonly fields: FieldLines;
  /** Sent as `host` where no field has that name (HTTP/2). */
  readonly authority: string;
}

const TEXT_OID = 25;
const BYTEA_OID = 17;

/** The first header, from the server: what a client sends under this name comes after it. */
const PEER_HEADER = 'omnigres-connecting-ip';

/**
 * Fields that belong to the connection (RFC 9110 §7.6.1, RFC 9113 §8.2.2), and `expect`, which the engine has dealt with.
 * Handlers do not see them.
 */
const CONNECTION_FIELDS = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

// Number of columns, and per column OID and length.
const RECORD_BYTES = 4 + 5 * 8;
// Dimensions, flags, OID, length, lower bound.
const ARRAY_HEAD_BYTES = 20;
// Length of the element, number of columns, and twice OID and length.
const HEADER_BYTES = 24;
/** A UTF-16 code unit is at most three bytes in UTF-8. */
const UTF8_PER_UNIT = 3;
/** Of a latin1 character at most two. */
const UTF8_PER_BYTE = 2;

export function encodeRequest(types: RequestTypes, request: RequestValue): Buffer {
  const { fields, query, body } = request;
  let size =
    RECORD_BYTES +
    ARRAY_HEAD_BYTES +
    request.method.length +
    request.path.length * UTF8_PER_UNIT +
    (body?.length ?? 0);
  size += (query === null ? 0 : query.length) * UTF8_PER_BYTE;
  size += headerRoom(PEER_HEADER, request.peer) + headerRoom('host', request.authority);
  for (const text of fields) size += HEADER_BYTES / 2 + text.length * UTF8_PER_BYTE;

  const writer = new Writer(Buffer.allocUnsafe(size));
  writer.int32(5);
  writer.int32(types.httpMethod);
  writer.text(request.method);
  writer.int32(TEXT_OID);
  writer.unicodeText(request.path);
  writer.int32(TEXT_OID);
  if (query === null) writer.int32(-1);
  else writer.text(query);
  writer.int32(BYTEA_OID);
  if (body === null) writer.int32(-1);
  else writer.bytes(body);
  writer.int32(types.httpHeaders);
  const at = writer.skipLength();
  writeHeaders(writer, types, request);
  writer.setLength(at);
  return writer.finish();
}

function headerRoom(name: string, value: string): number {
  return HEADER_BYTES + (name.length + value.length) * UTF8_PER_BYTE;
}

function writeHeaders(writer: Writer, types: RequestTypes, request: RequestValue): void {
  const { fields } = request;
  writer.int32(1);
  writer.int32(0);
  writer.int32(types.httpHeader);
  const countAt = writer.skipLength();
  writer.int32(1);
  let count = 1;
  writer.header(PEER_HEADER, request.peer);
  const named = namedByConnection(fields);
  let host = false;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (CONNECTION_FIELDS.has(name) || named?.has(name) === true) continue;
    if (name === 'host') host = true;
    writer.header(name, fields[i + 1] ?? '');
    count++;
  }
  if (!host && request.authority !== '') {
    writer.header('host', request.authority);
    count++;
  }
  writer.int32At(countAt, count);
}

/** The fields that `connection` says belong to the connection; null for the usual values. */
function namedByConnection(fields: FieldLines): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'connection') continue;
    const value = fields[i + 1] ?? '';
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase();
      // Without these two the handler could not tell what was asked and how long the body is.
      if (name !== 'host' && name !== 'content-length') named.add(name);
    }
  }
  return named;
}

/** From this length on the platform writes text faster than a loop does. */
const LONG_TEXT = 48;

/** Writes into a buffer that is large enough. */
class Writer {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int32(value: number): void {
    this.int32At(this.#at, value);
    this.#at += 4;
  }

  int32At(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  skipLength(): number {
    this.#at += 4;
    return this.#at - 4;
  }

  /** Fills in the length of what was written after the four bytes at `at`. */
  setLength(at: number): void {
    this.int32At(at, this.#at - at - 4);
  }

  /** Length and latin1 text, as UTF-8. */
  text(text: string): void {
    const at = this.skipLength();
    if (text.length >= LONG_TEXT) this.#at += this.#buffer.write(text, this.#at, 'utf8');
    else this.#shortText(text);
    this.setLength(at);
  }

  #shortText(text: string): void {
    const buffer = this.#buffer;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x80) {
        buffer[at++] = code;
      } else {
        buffer[at++] = 0xc0 | (code >> 6);
        buffer[at++] = 0x80 | (code & 0x3f);
      }
    }
    this.#at = at;
  }

  unicodeText(text: string): void {
    const at = this.skipLength();
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
    this.setLength(at);
  }

  bytes(bytes: Buffer): void {
    this.int32(bytes.length);
    bytes.copy(this.#buffer, this.#at);
    this.#at += bytes.length;
  }

  /** One element of an array of http_header. */
  header(name: string, value: string): void {
    const at = this.skipLength();
    this.int32(2);
    this.int32(TEXT_OID);
    this.text(name);
    this.int32(TEXT_OID);
    this.text(value);
    this.setLength(at);
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }
}
