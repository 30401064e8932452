// Makes a request head, or trailers, out of decoded fields, and judges them (RFC 9113 §8.2, §8.3, RFC 8441). Takes the
// fields from the HPACK decoder one by one. Not the decoding, and not what is done about a bad head: see receiver.ts.
import { isForbiddenInTrailers } from '../http/connection-fields.ts';
import { NO_FIELDS } from '../http/field-lines.ts';
import type { FieldLines } from '../http/field-lines.ts';
import { isAuthority, isInClass, isToken, parseDecimal, TARGET } from '../http/grammar.ts';
import type { RequestHead } from '../http/request-head.ts';
import { FieldKind } from './field-kind.ts';
import type { FieldSink } from './hpack/decoder.ts';
import type { Http2Options } from './options.ts';

/** A request head with what only HTTP/2 has. `fields` has a `host` also where only `:authority` was sent; cookies are joined. */
export interface Http2RequestHead extends RequestHead {
  readonly version: '2';
  /** As sent, `http` or `https` mostly; empty for CONNECT. */
  readonly scheme: string;
  /** `:protocol` of an extended CONNECT (RFC 8441); null otherwise. */
  readonly protocol: string | null;
}

/** A head that can be answered with an error, because only its size is wrong. */
export interface HeadRefusal {
  readonly status: 414 | 431;
  readonly reason: string;
}

/** Common methods, which need no check. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE']);
/** scheme of RFC 3986 §3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;
/** CONNECT names a port (RFC 9110 §9.3.6). */
const WITH_PORT = /:\d+$/;

export class HeadBuilder implements FieldSink {
  /** Why the head is malformed (RFC 9113 §8.1.1), or null. */
  malformed: string | null = null;
  /** Why it is answered with an error instead of being served, or null. */
  refusal: HeadRefusal | null = null;
  /** Value of the `priority` field; null where there is none. */
  priority: string | null = null;
  readonly #options: Http2Options;
  #trailers = false;
  #fields: string[] = [];
  #bytes = 0;
  #lines = 0;
  #method: string | null = null;
  #scheme: string | null = null;
  #authority: string | null = null;
  #path: string | null = null;
  #protocol: string | null = null;
  #host: string | null = null;
  #contentLength = -1;
  #expectContinue = false;
  /** There was a field that is not passed on. */
  #dropped = false;
  #knownAuthority: string | null = null;
  /** Index of the joined cookie's value in #fields; -1 for none. */
  #cookieAt = -1;

  constructor(options: Http2Options) {
    this.#options = options;
  }

  /** Begins a head, or trailers. */
  begin(trailers: boolean): void {
    this.malformed = null;
    this.refusal = null;
    this.priority = null;
    this.#trailers = trailers;
    this.#fields = [];
    this.#bytes = 0;
    this.#lines = 0;
    this.#method = null;
    this.#scheme = null;
    this.#authority = null;
    this.#path = null;
    this.#protocol = null;
    this.#host = null;
    this.#contentLength = -1;
    this.#expectContinue = false;
    this.#dropped = false;
    this.#cookieAt = -1;
  }

  addField(name: string, value: string, kind: FieldKind, size: number): void {
    this.#bytes += size;
    // Clients split a cookie into as many lines as it has parts: they are one (RFC 9113 §8.2.3).
    if (kind !== FieldKind.COOKIE || this.#cookieAt < 0) this.#lines++;
    // Counted while decoding: a few octets can stand for many (HPACK bomb), and nothing more is kept of them.
    if (this.#bytes > this.#options.maxHeaderListBytes) this.#refuse(431, 'the header fields are too large');
    else if (this.#lines > this.#options.maxHeaders) this.#refuse(431, 'there are too many header fields');
    if (this.refusal !== null || this.malformed !== null) return;
    if (kind === FieldKind.REGULAR) this.#fields.push(name, value);
    else if (kind <= FieldKind.BAD_PSEUDO) this.#addPseudo(name, value, kind);
    else this.#addSpecial(name, value, kind);
  }

  #refuse(status: 414 | 431, reason: string): void {
    this.refusal ??= { status, reason };
  }

  #addPseudo(name: string, value: string, kind: number): void {
    let before: string | null = null;
    if (this.#trailers) this.malformed = 'a pseudo-field in trailers';
    else if (this.#fields.length > 0 || this.#dropped) this.malformed = 'a pseudo-field after a field';
    switch (kind) {
      case FieldKind.METHOD:
        before = this.#method;
        this.#method = value;
        break;
      case FieldKind.SCHEME:
        before = this.#scheme;
        this.#scheme = value;
        break;
      case FieldKind.AUTHORITY:
        before = this.#authority;
        this.#authority = value;
        break;
      case FieldKind.PATH:
        before = this.#path;
        this.#path = value;
        break;
      case FieldKind.PROTOCOL:
        before = this.#protocol;
        this.#protocol = value;
        break;
      default:
        this.malformed = 'a pseudo-field that requests do not have';
    }
    if (before !== null) this.malformed = `a second ${name}`;
  }

  #addSpecial(name: string, value: string, kind: number): void {
    switch (kind) {
      case FieldKind.CONNECTION:
        this.malformed = `the connection-specific field ${name}`;
        return;
      case FieldKind.BAD_NAME:
        this.malformed = 'a field name that is none in HTTP/2';
        return;
      case FieldKind.BAD_VALUE:
        this.malformed = 'a field value with characters that none may have';
        return;
      case FieldKind.CERTIFICATE:
        this.#dropped = true;
        return;
      case FieldKind.TE:
        if (value.toLowerCase() !== 'trailers') this.malformed = 'a te field other than trailers';
        break;
      case FieldKind.CONTENT_LENGTH:
        this.#addContentLength(value);
        break;
      case FieldKind.COOKIE:
        // Clients split it for HPACK's sake; whoever reads it expects one (RFC 9113 §8.2.3).
        if (this.#cookieAt >= 0) {
          this.#fields[this.#cookieAt] += `; ${value}`;
          return;
        }
        this.#cookieAt = this.#fields.length + 1;
        break;
      case FieldKind.HOST:
        if (this.#host !== null) this.malformed = 'a second host';
        this.#host = value;
        break;
      case FieldKind.EXPECT:
        if (value.toLowerCase() === '100-continue') this.#expectContinue = true;
        break;
      default:
        // PRIORITY: the last of several lines counts, as in one dictionary (RFC 8941 §3.2).
        this.priority = this.priority === null ? value : `${this.priority},${value}`;
    }
    this.#fields.push(name, value);
  }

  #addContentLength(value: string): void {
    const length = parseDecimal(value);
    if (length === null) this.malformed = 'a content-length that is no number';
    else if (this.#contentLength >= 0) this.malformed = 'a second content-length';
    else this.#contentLength = length;
  }

  /** The trailers, after `begin(true)`; those that may not stand there are dropped (RFC 9110 §6.5.1). */
  finishTrailers(): FieldLines {
    const fields = this.#fields;
    if (fields.length === 0) return NO_FIELDS;
    const kept: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      if (!isForbiddenInTrailers(name)) kept.push(name, fields[i + 1] as string);
    }
    return kept;
  }

  /** The head, or null where `malformed` or `refusal` says why there is none. */
  finishRequest(endStream: boolean): Http2RequestHead | null {
    if (this.refusal !== null) return null;
    if (this.malformed === null) this.#checkRequest(endStream);
    if (this.malformed !== null || this.refusal !== null) return null;
    const target = this.#path ?? '';
    const authority = this.#authority ?? this.#host ?? '';
    const queryAt = target.indexOf('?');
    if (this.#host === null) this.#fields.push('host', authority);
    return {
      // Checked to be there.
      method: this.#method as string,
      authority,
      path: queryAt < 0 ? target : target.slice(0, queryAt),
      query: queryAt < 0 ? null : target.slice(queryAt + 1),
      version: '2',
      fields: this.#fields,
      hasBody: !endStream,
      contentLength: endStream ? 0 : this.#contentLength < 0 ? null : this.#contentLength,
      expectContinue: this.#expectContinue && !endStream,
      scheme: this.#scheme ?? '',
      protocol: this.#protocol,
    };
  }

  #checkRequest(endStream: boolean): void {
    const method = this.#method;
    if (method === null) this.malformed = 'no :method';
    else if (!METHODS.has(method) && !isToken(method)) this.malformed = 'a :method that is no token';
    else if (this.#protocol !== null && method !== 'CONNECT') this.malformed = ':protocol without CONNECT';
    else if (this.#protocol !== null && !this.#options.enableConnectProtocol) {
      this.malformed = ':protocol, which was not offered';
    } else if (method === 'CONNECT' && this.#protocol === null) this.#checkConnect();
    else this.#checkTarget(method);
    if (endStream && this.#contentLength > 0) this.malformed ??= 'a content-length, and no content';
  }

  /** RFC 9113 §8.5. */
  #checkConnect(): void {
    if (this.#scheme !== null || this.#path !== null) this.malformed = 'CONNECT with :scheme or :path';
    else if (this.#authority === null) this.malformed = 'CONNECT without :authority';
    else if (!isAuthority(this.#authority) || !WITH_PORT.test(this.#authority)) {
      this.malformed = 'CONNECT to something that is no host and port';
    }
  }

  /** Remembers the last: the requests of a connection mostly name one. */
  #isAuthority(text: string): boolean {
    if (text === this.#knownAuthority) return true;
    if (!isAuthority(text)) return false;
    this.#knownAuthority = text;
    return true;
  }

  /** RFC 9113 §8.3.1. */
  #checkTarget(method: string): void {
    const path = this.#path;
    const scheme = this.#scheme;
    const authority = this.#authority ?? this.#host;
    if (scheme === null || !isScheme(scheme)) this.malformed = 'no :scheme';
    else if (path === null || path === '') this.malformed = 'no :path';
    else if (authority === null) this.malformed = 'neither :authority nor host';
    else if (!this.#isAuthority(authority)) this.malformed = 'an :authority or host that is none';
    else if (this.#authority !== null && this.#host !== null && !sameText(this.#authority, this.#host)) {
      this.malformed = 'a host other than :authority';
    } else if (path.length > this.#options.maxPathBytes) this.#refuse(414, 'the path is too long');
    else if (!isPath(path) && !(path === '*' && method === 'OPTIONS'))
      this.malformed = 'a :path that is none';
  }
}

function isScheme(text: string): boolean {
  return text === 'https' || text === 'http' || SCHEME.test(text);
}

/** absolute-path with or without a query, of the same characters as in HTTP/1.1. */
function isPath(path: string): boolean {
  if (path.charCodeAt(0) !== 0x2f) return false;
  for (let i = 1; i < path.length; i++) if (!isInClass(path, i, TARGET)) return false;
  return true;
}

/** Hosts are equal in any case (RFC 9110 §4.2.3). */
function sameText(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}
