// The head of an HTTP/1.x request, checked and complete. Not the parser: the readers beside it found the parts; this
// keeps the text and cuts fields out of it only when somebody asks.
import { namesInConnection } from '../http/connection-fields.ts';
import { type FieldLines, getFieldValues } from '../http/field-lines.ts';
import { isAuthority } from '../http/grammar.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Http1FaultCode } from './fault.ts';
import { parseFieldLines } from './field-lines.ts';
import type { FramingFields } from './framing-fields.ts';
import type { RequestLineReader } from './request-line.ts';
import { isOriginForm, parseRequestTarget, type RequestTarget, type TargetForm } from './request-target.ts';

export class Http1RequestHead implements RequestHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | null;
  readonly version: '1.0' | '1.1';
  readonly minorVersion: 0 | 1;
  /** False also for `Content-Length: 0`. */
  readonly hasBody: boolean;
  readonly contentLength: number | null;
  /** Only where a body is to come; the expectation of an HTTP/1.0 client is ignored (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean;
  /** Whether the client lets the connection persist (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** Whether the body comes in chunks. */
  readonly chunked: boolean;
  /** As sent. */
  readonly target: string;
  readonly form: TargetForm;
  /** Of an absolute-form target, in lower case; otherwise null. */
  readonly scheme: 'http' | 'https' | null;
  readonly #text: string;
  readonly #fieldsStart: number;
  readonly #hasUpgrade: boolean;
  #fields: FieldLines | null = null;

  /** `text` is the whole head as latin1; `target` is null for an origin-form. */
  constructor(
    text: string,
    line: RequestLineReader,
    framing: FramingFields,
    method: string,
    target: RequestTarget | null,
    authority: string,
  ) {
    const sent = text.slice(line.methodEnd + 1, line.targetEnd);
    const pathAndQuery = target === null ? sent : target.pathAndQuery;
    const queryAt = pathAndQuery.indexOf('?');
    const { minorVersion } = line;
    this.method = method;
    this.authority = authority;
    this.path = queryAt < 0 ? pathAndQuery : pathAndQuery.slice(0, queryAt);
    this.query = queryAt < 0 ? null : pathAndQuery.slice(queryAt + 1);
    this.version = minorVersion === 1 ? '1.1' : '1.0';
    this.minorVersion = minorVersion;
    this.chunked = framing.chunked;
    this.hasBody = framing.chunked || framing.contentLength > 0;
    this.contentLength = framing.chunked ? null : Math.max(framing.contentLength, 0);
    this.expectContinue = framing.expectContinue && minorVersion === 1 && this.hasBody;
    this.keepAlive = !framing.close && (minorVersion === 1 || framing.keepAlive);
    this.target = sent;
    this.form = target === null ? 'origin' : target.form;
    this.scheme = target === null ? null : target.scheme;
    this.#text = text;
    this.#fieldsStart = line.length;
    // RFC 9110 §7.8: Upgrade counts only where Connection names it, and never in HTTP/1.0.
    this.#hasUpgrade = framing.hasUpgrade && framing.upgrade && minorVersion === 1;
  }

  /** Computed when first read. Behind an absolute-form target, `host` is the target's authority (RFC 9112 §3.2.2). */
  get fields(): FieldLines {
    if (this.#fields === null) {
      const lines = parseFieldLines(this.#text, this.#fieldsStart);
      if (this.form === 'absolute') replaceHost(lines, this.authority);
      this.#fields = lines;
    }
    return this.#fields;
  }

  /** Value of Upgrade, as sent, where Connection names it; null otherwise and for HTTP/1.0. */
  get upgrade(): string | null {
    return this.#hasUpgrade ? getFieldValues(this.fields, 'upgrade').join(', ') : null;
  }

  /** Options of Connection in lower case: `close`, `keep-alive`, names of fields that are for this hop only. */
  get connectionOptions(): readonly string[] {
    return [...namesInConnection(this.fields)];
  }
}

/** The head that the readers have found in `text`, or what is wrong with its parts together. */
export function makeRequestHead(
  text: string,
  line: RequestLineReader,
  framing: FramingFields,
  maxAuthorityBytes: number,
): Http1RequestHead | Http1FaultCode {
  const fault = framing.check(line.minorVersion);
  if (fault !== null) return fault;
  let host = '';
  if (framing.hostStart >= 0) {
    host = text.slice(line.length + framing.hostStart, line.length + framing.hostEnd);
    if (host.length > maxAuthorityBytes) return 'host-too-long';
    // RFC 9112 §3.2: a client whose target has no authority sends an empty Host.
    if (host !== '' && !isAuthority(host)) return 'host-malformed';
  }
  const method = methodOf(text, line.methodEnd);
  if (isOriginForm(method, text, line.methodEnd + 1)) {
    return new Http1RequestHead(text, line, framing, method, null, host);
  }
  const target = parseRequestTarget(
    method,
    text.slice(line.methodEnd + 1, line.targetEnd),
    maxAuthorityBytes,
  );
  if (typeof target === 'string') return target;
  // RFC 9112 §3.2.2: the authority of the target wins over Host.
  const authority = target.form === 'asterisk' ? host : target.authority;
  return new Http1RequestHead(text, line, framing, method, target, authority);
}

/** The method, without making a string for those that nearly all requests use. */
function methodOf(text: string, end: number): string {
  if (text.startsWith('GET ')) return 'GET';
  if (text.startsWith('POST ')) return 'POST';
  return text.slice(0, end);
}

function replaceHost(lines: string[], authority: string): void {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === 'host') lines[i + 1] = authority;
}
