// The sending half of an HTTP/1.x server connection: response heads, and the framing of bodies (RFC 9112 §6). Not the
// connection: it closes nothing, and has no clock (the date is the caller's).
//
//   ┌─▶ idle ── sendResponse ──▶ idle
//   │    ├──── sendInform ────▶ idle
//   │    └──── sendHead ──────▶ chunked │ counted │ until-close │ none ◀─┐ sendData
//   │                               │        └────────────────────────────┘
//   └───────────── sendEnd ─────────┘        idle ── sendSwitch ──▶ (no HTTP any more)
//
// How the end of a body is told, first rule that fits (RFC 9110 §6.4, §8.6; RFC 9112 §6.3):
//   204, 2xx to CONNECT             no body, no framing fields (after CONNECT the connection closes: there is no tunnel)
//   304, answer to HEAD             no body; content-length where it is known (304: where the application gave it)
//   205                             no body, content-length: 0
//   length known                    content-length
//   HTTP/1.1                        transfer-encoding: chunked
//   HTTP/1.0                        the connection closes
import type { ByteWriter } from '../http/byte-writer.ts';
import type { FieldLines } from '../http/field-lines.ts';
import { isFieldValue } from '../http/grammar.ts';
import { RepeatedHead } from './repeated-head.ts';
import type { Http1RequestHead } from './request-head.ts';
import { encodeTrailers, ResponseFields } from './response-fields.ts';
import { dateLine, ResponsePrefixes, serverLine, statusLine } from './response-prefix.ts';
import { type Refused, refuse, SENT_CLOSE, SENT_KEEP, type SendResult } from './send-result.ts';

export type { Refused, SendResult, Sent } from './send-result.ts';

/** What of a request decides on the form of its answer; null: there is no request. */
export type Answered = Pick<Http1RequestHead, 'method' | 'minorVersion' | 'keepAlive'> | null;

type BodyMode = 'idle' | 'none' | 'counted' | 'chunked' | 'until-close';

const FIRST_FINAL_STATUS = 200;
const MAX_STATUS = 999;
const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const UPGRADE_REQUIRED = 426;
const RESET_CONTENT = 205;
const FIRST_REDIRECT_STATUS = 300;
const NOT_MODIFIED = 304;
const NOT_ANNOUNCED = -1;
const LAST_CHUNK = '0\r\n\r\n';
/** Above this, text of a body is not joined with its head: joining copies it once more. */
const MAX_JOINED_TEXT = 4096;

// For all connections: they hold nothing between calls but what makes the next one cheaper.
const prefixes = new ResponsePrefixes();
const collected = new ResponseFields();
const repeatedHead = new RepeatedHead();

/**
 * One for each connection. An application's connection-specific fields are dropped, its names and values checked; a bad one
 * refuses the whole response, nothing of it having been written. Its Content-Length is taken where the body is not at
 * hand to be counted: for HEAD, for 304, and for a streamed body, which is then held to it. Calls out of order throw.
 */
export class Http1Sender {
  #mode: BodyMode = 'idle';
  #close = false;
  /** The content-length of the response under way. */
  #announced = NOT_ANNOUNCED;
  /** Bytes that a counted body still must have. */
  #remaining = 0;

  /**
   * A whole response. `request` is null for an error before there was a request: the connection then closes. `keepAlive`
   * says whether the caller would keep the connection; the request's version and Connection have their say too. A `body`
   * of null is no body and gets no content-length. `date` and `server` (null: none) are sent unless the application gave its own.
   */
  sendResponse(
    out: ByteWriter,
    request: Answered,
    status: number,
    fields: FieldLines,
    body: Buffer | string | null,
    keepAlive: boolean,
    date: string,
    server: string | null,
  ): SendResult {
    const refused = this.#collect(status, fields);
    if (refused !== null) return refused;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body === null ? null : body.length;
    this.#plan(request, status, length, collected.contentLength, keepAlive);
    const prefix = prefixOf(status, date, server);
    const connection = this.#connectionLines(request, status);
    const mode = this.#mode;
    const isRepeated =
      mode === 'counted' && repeatedHead.write(out, prefix, connection, collected, this.#announced);
    const head = isRepeated ? '' : this.#head(prefix, connection);
    this.#mode = 'idle';
    if (mode === 'chunked') out.writeLatin1(head + LAST_CHUNK);
    else if (mode !== 'counted' || body === null) out.writeLatin1(head);
    else if (typeof body !== 'string') {
      if (!isRepeated) out.writeLatin1(head);
      out.writeBytes(body);
    } else if (length === body.length && length <= MAX_JOINED_TEXT) {
      // As many bytes as characters: it is ASCII.
      out.writeLatin1(head + body);
    } else {
      if (!isRepeated) out.writeLatin1(head);
      out.writeUtf8(body);
    }
    return this.#close ? SENT_CLOSE : SENT_KEEP;
  }

  /** The head of a response whose body follows. Without a known length the body is chunked, or for HTTP/1.0 ends with the connection. */
  sendHead(
    out: ByteWriter,
    request: Answered,
    status: number,
    fields: FieldLines,
    body: { readonly contentLength: number | null },
    keepAlive: boolean,
    date: string,
    server: string | null,
  ): SendResult {
    const refused = this.#collect(status, fields);
    if (refused !== null) return refused;
    const length = body.contentLength ?? collected.contentLength;
    this.#plan(request, status, length, length, keepAlive);
    this.#remaining = this.#announced;
    out.writeLatin1(this.#head(prefixOf(status, date, server), this.#connectionLines(request, status)));
    return this.#close ? SENT_CLOSE : SENT_KEEP;
  }

  /**
   * A piece of the body, of any size. Above MAX_COPY_BYTES it is kept by reference. Dropped where the response has no
   * body. Refused (`content-length`), and not written, where it goes beyond the length that was announced.
   */
  sendData(out: ByteWriter, bytes: Uint8Array): SendResult {
    switch (this.#mode) {
      case 'idle':
        throw new Error('sendData() without sendHead()');
      case 'none':
        break;
      case 'counted':
        if (bytes.length > this.#remaining)
          return refuse('content-length', 'the body is longer than announced');
        this.#remaining -= bytes.length;
        out.writeBytes(bytes);
        break;
      case 'chunked':
        // An empty chunk would be the last one.
        if (bytes.length === 0) break;
        out.writeLatin1(`${bytes.length.toString(16)}\r\n`);
        out.writeBytes(bytes);
        out.writeLatin1('\r\n');
        break;
      case 'until-close':
        out.writeBytes(bytes);
        break;
    }
    return this.#close ? SENT_CLOSE : SENT_KEEP;
  }

  /**
   * Ends the body. Trailers are sent with a chunked one, otherwise dropped. Refused for a bad trailer: the body is still open
   * then; and (`content-length`) for a body shorter than announced: only a cut connection tells the client (RFC 9112 §8).
   */
  sendEnd(out: ByteWriter, trailers: FieldLines): SendResult {
    const mode = this.#mode;
    if (mode === 'idle') throw new Error('sendEnd() without sendHead()');
    if (mode === 'chunked') {
      const text = encodeTrailers(trailers);
      if (typeof text !== 'string') return text;
      out.writeLatin1(`0\r\n${text}\r\n`);
    }
    this.#mode = 'idle';
    if (mode === 'counted' && this.#remaining > 0) {
      return refuse('content-length', 'the body is shorter than announced');
    }
    return this.#close ? SENT_CLOSE : SENT_KEEP;
  }

  /** An informational response, 100 to 199 but not 101. Not to be sent to an HTTP/1.0 client (RFC 9110 §15.2). */
  sendInform(out: ByteWriter, status: number, fields: FieldLines): SendResult {
    if (this.#mode !== 'idle') throw new Error('sendInform() after sendHead()');
    if (!isStatus(status, 100, FIRST_FINAL_STATUS - 1) || status === SWITCHING_PROTOCOLS) {
      return refuse(':status', 'the status is not one of an informational response');
    }
    const refused = collected.collect(fields);
    if (refused !== null) return refused;
    out.writeLatin1(`${statusLine(status)}${collected.text}\r\n`);
    return SENT_KEEP;
  }

  /** 101 (RFC 9110 §15.2.2): `protocol` is the value of `upgrade`, `server` as for a response. What follows is not HTTP: nothing is sent after it. */
  sendSwitch(out: ByteWriter, protocol: string, fields: FieldLines, server: string | null): SendResult {
    if (this.#mode !== 'idle') throw new Error('sendSwitch() after sendHead()');
    if (!isFieldValue(protocol)) return refuse('upgrade', 'the value cannot be sent');
    const refused = collected.collect(fields);
    if (refused !== null) return refused;
    const { hasServer, text } = collected;
    const ownFields = `${hasServer ? '' : serverLine(server)}connection: upgrade\r\nupgrade: ${protocol}\r\n`;
    out.writeLatin1(`${statusLine(SWITCHING_PROTOCOLS)}${ownFields}${text}\r\n`);
    return SENT_KEEP;
  }

  /** What the head says of the connection; the plan has been made. */
  #connectionLines(request: Answered, status: number): string {
    if (status === UPGRADE_REQUIRED) {
      // RFC 9110 §15.5.22: it must say to what; and both fields are the engine's.
      return `connection: ${this.#close ? 'close, ' : ''}upgrade\r\nupgrade: websocket\r\n`;
    }
    if (this.#close) return 'connection: close\r\n';
    return request?.minorVersion === 0 ? 'connection: keep-alive\r\n' : '';
  }

  /** Text of the head, from its beginning and what it says of the connection. */
  #head(prefix: string, connection: string): string {
    const head = prefix + connection + collected.text;
    if (this.#announced >= 0) return `${head}content-length: ${this.#announced}\r\n\r\n`;
    return this.#mode === 'chunked' ? `${head}transfer-encoding: chunked\r\n\r\n` : `${head}\r\n`;
  }

  /**
   * Decides on framing and connection: the table at the beginning of this file. `known` is the length of the body that
   * follows, `given` the one to announce where none follows.
   */
  #plan(
    request: Answered,
    status: number,
    known: number | null,
    given: number | null,
    keepAlive: boolean,
  ): void {
    this.#close = !keepAlive || request === null || !request.keepAlive;
    this.#mode = 'none';
    this.#announced = NOT_ANNOUNCED;
    if (status === NO_CONTENT) return;
    if (status === NOT_MODIFIED) this.#announced = given ?? NOT_ANNOUNCED;
    else if (status === RESET_CONTENT) this.#announced = 0;
    else if (request?.method === 'CONNECT' && status < FIRST_REDIRECT_STATUS) this.#close = true;
    else if (request?.method === 'HEAD') this.#announced = known ?? given ?? NOT_ANNOUNCED;
    else if (known !== null) {
      this.#mode = 'counted';
      this.#announced = known;
    } else if (request?.minorVersion !== 0) this.#mode = 'chunked';
    else {
      this.#mode = 'until-close';
      this.#close = true;
    }
  }

  /** Checks what the application gave. */
  #collect(status: number, fields: FieldLines): Refused | null {
    if (this.#mode !== 'idle') throw new Error('a response while another one is not ended');
    if (!isStatus(status, FIRST_FINAL_STATUS, MAX_STATUS)) {
      return refuse(':status', 'the status is not one of a final response');
    }
    return collected.collect(fields);
  }
}

/** Status line, and date and server unless the application gave them. */
function prefixOf(status: number, date: string, server: string | null): string {
  const { hasDate, hasServer } = collected;
  if (!hasDate && !hasServer) return prefixes.get(status, date, server);
  return statusLine(status) + (hasDate ? '' : dateLine(date)) + (hasServer ? '' : serverLine(server));
}

function isStatus(status: number, first: number, last: number): boolean {
  return Number.isInteger(status) && status >= first && status <= last;
}
