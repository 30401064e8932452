// The head of an HTTP/1.x request, checked and complete. Not the parser: the readers beside it found the parts.
import { namesInConnection } from '../http/connection-fields.ts';
import { type FieldLines, getFieldValues } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Http1FaultCode } from './fault.ts';
import type { HeaderSection } from './header-section.ts';
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
  readonly #section: HeaderSection;

  /** `text` is the request line as latin1; `target` is null for an origin-form. */
  constructor(
    text: string,
    line: RequestLineReader,
    section: HeaderSection,
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
    this.chunked = section.chunked;
    this.hasBody = section.chunked || section.contentLength > 0;
    this.contentLength = section.chunked ? null : Math.max(section.contentLength, 0);
    this.expectContinue = section.expectContinue && minorVersion === 1 && this.hasBody;
    this.keepAlive = !section.close && (minorVersion === 1 || section.keepAlive);
    this.target = sent;
    this.form = target === null ? 'origin' : target.form;
    this.scheme = target === null ? null : target.scheme;
    this.#section = section;
  }

  /** Computed when first read. Behind an absolute-form target, `host` is the target's authority (RFC 9112 §3.2.2). */
  get fields(): FieldLines {
    const { fields } = this.#section;
    return this.form === 'absolute' ? withHost(fields, this.authority) : fields;
  }

  /** Value of Upgrade, as sent, where Connection names it; null otherwise and for HTTP/1.0 (RFC 9110 §7.8). */
  get upgrade(): string | null {
    if (!this.#section.upgrade || this.minorVersion === 0) return null;
    return getFieldValues(this.fields, 'upgrade').join(', ');
  }

  /** Options of Connection in lower case: `close`, `keep-alive`, names of fields that are for this hop only. */
  get connectionOptions(): readonly string[] {
    return [...namesInConnection(this.fields)];
  }
}

/** The head with this request line and section, or what is wrong with them together. */
export function makeRequestHead(
  text: string,
  line: RequestLineReader,
  section: HeaderSection,
  maxAuthorityBytes: number,
): Http1RequestHead | Http1FaultCode {
  const fault = section.check(line.minorVersion);
  if (fault !== null) return fault;
  const host = section.host ?? '';
  const method = methodOf(text, line.methodEnd);
  if (isOriginForm(method, text, line.methodEnd + 1)) {
    return new Http1RequestHead(text, line, section, method, null, host);
  }
  const target = parseRequestTarget(
    method,
    text.slice(line.methodEnd + 1, line.targetEnd),
    maxAuthorityBytes,
  );
  if (typeof target === 'string') return target;
  // RFC 9112 §3.2.2: the authority of the target wins over Host.
  const authority = target.form === 'asterisk' ? host : target.authority;
  return new Http1RequestHead(text, line, section, method, target, authority);
}

/** The method, without making a string for those that nearly all requests use. */
function methodOf(text: string, end: number): string {
  if (text.startsWith('GET ')) return 'GET';
  if (text.startsWith('POST ')) return 'POST';
  return text.slice(0, end);
}

function withHost(fields: FieldLines, authority: string): FieldLines {
  return fields.map((text, i) => (i % 2 === 1 && fields[i - 1] === 'host' ? authority : text));
}
