// A complete header section: what it says of host, framing and connection, and its field lines. Independent of the request
// line, so that the requests of a connection that repeat a section share it.
import type { FieldLines } from '../http/field-lines.ts';
import { isAuthority } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';
import { parseFieldLines } from './field-lines.ts';
import type { FramingFields } from './framing-fields.ts';

export class HeaderSection {
  /** Value of Host; null where there is none. */
  readonly host: string | null;
  /** -1 where there is none. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** Transfer codings that are not implemented. */
  readonly hasOtherCoding: boolean;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** There is an Upgrade field, and Connection names it. */
  readonly upgrade: boolean;
  readonly expectContinue: boolean;
  readonly hasOtherExpectation: boolean;
  readonly #text: string;
  #fields: FieldLines | null = null;

  /** `text` is the section as latin1. */
  constructor(text: string, framing: FramingFields, host: string | null) {
    this.host = host;
    this.contentLength = framing.contentLength;
    this.chunked = framing.chunked;
    this.hasOtherCoding = framing.hasOtherCoding;
    this.close = framing.close;
    this.keepAlive = framing.keepAlive;
    this.upgrade = framing.hasUpgrade && framing.upgrade;
    this.expectContinue = framing.expectContinue;
    this.hasOtherExpectation = framing.hasOtherExpectation;
    this.#text = text;
  }

  /** Computed when first read. */
  get fields(): FieldLines {
    this.#fields ??= parseFieldLines(this.#text, 0);
    return this.#fields;
  }

  /** What is wrong with the fields together, in a request of this version. */
  check(minorVersion: 0 | 1): Http1FaultCode | null {
    if (minorVersion === 1 && this.host === null) return 'host-missing';
    if (this.chunked || this.hasOtherCoding) {
      if (minorVersion === 0) return 'coding-version';
      if (this.contentLength >= 0) return 'length-and-coding';
      if (this.hasOtherCoding) return 'coding-unsupported';
    }
    // RFC 9110 §10.1.1: expectations of HTTP/1.0 clients are ignored.
    return this.hasOtherExpectation && minorVersion === 1 ? 'expectation-unsupported' : null;
  }
}

/** The section that the reader has found in `text`, or what is wrong with its Host. */
export function makeHeaderSection(
  text: string,
  framing: FramingFields,
  maxAuthorityBytes: number,
): HeaderSection | Http1FaultCode {
  if (framing.hostStart < 0) return new HeaderSection(text, framing, null);
  const host = text.slice(framing.hostStart, framing.hostEnd);
  if (host.length > maxAuthorityBytes) return 'host-too-long';
  // RFC 9112 §3.2: a client whose target has no authority sends an empty Host.
  if (host !== '' && !isAuthority(host)) return 'host-malformed';
  return new HeaderSection(text, framing, host);
}
