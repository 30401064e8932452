// What the fields that decide on routing and framing say, gathered while the header section is read: Host,
// Content-Length, Transfer-Encoding, Connection, Expect, Upgrade. Everything two parties could read differently is refused
// (RFC 9112 §11.2). Not a parser of other fields.
import { isToken } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';
import { byteAt, isBytesOf } from './reader.ts';

export const OTHER_FIELD = 0;
const HOST = 1;
const CONTENT_LENGTH = 2;
const TRANSFER_ENCODING = 3;
const CONNECTION = 4;
const EXPECT = 5;
const UPGRADE = 6;
/** Known for their limits only. */
export const AUTHORIZATION = 7;
export const COOKIE = 8;
/** How many there are. */
export const FIELD_KINDS = 9;

const NAMES = {
  host: Buffer.from('host'),
  cookie: Buffer.from('cookie'),
  expect: Buffer.from('expect'),
  upgrade: Buffer.from('upgrade'),
  connection: Buffer.from('connection'),
  authorization: Buffer.from('authorization'),
  contentLength: Buffer.from('content-length'),
  transferEncoding: Buffer.from('transfer-encoding'),
};
const CLOSE = Buffer.from('close');
const KEEP_ALIVE = Buffer.from('keep-alive');
const CHUNKED = Buffer.from('chunked');
const CONTINUE = Buffer.from('100-continue');
const ZERO = 0x30;

/** Which field the name is, told by its length and bytes. */
export function recogniseField(input: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case NAMES.host.length:
      return isBytesOf(input, start, NAMES.host) ? HOST : OTHER_FIELD;
    case NAMES.cookie.length:
      if (isBytesOf(input, start, NAMES.cookie)) return COOKIE;
      return isBytesOf(input, start, NAMES.expect) ? EXPECT : OTHER_FIELD;
    case NAMES.upgrade.length:
      return isBytesOf(input, start, NAMES.upgrade) ? UPGRADE : OTHER_FIELD;
    case NAMES.connection.length:
      return isBytesOf(input, start, NAMES.connection) ? CONNECTION : OTHER_FIELD;
    case NAMES.authorization.length:
      return isBytesOf(input, start, NAMES.authorization) ? AUTHORIZATION : OTHER_FIELD;
    case NAMES.contentLength.length:
      return isBytesOf(input, start, NAMES.contentLength) ? CONTENT_LENGTH : OTHER_FIELD;
    case NAMES.transferEncoding.length:
      return isBytesOf(input, start, NAMES.transferEncoding) ? TRANSFER_ENCODING : OTHER_FIELD;
    default:
      return OTHER_FIELD;
  }
}

export class FramingFields {
  /** Where the value of Host is, counted from the first byte of the section; -1 where there is none. */
  hostStart = -1;
  hostEnd = -1;
  /** -1 where there is none. */
  contentLength = -1;
  /** Whether chunked is the transfer coding. */
  chunked = false;
  /** Options of Connection. */
  close = false;
  keepAlive = false;
  upgrade = false;
  /** There is an Upgrade field. */
  hasUpgrade = false;
  /** There is an expectation and it is 100-continue. */
  expectContinue = false;
  /** There are transfer codings but chunked; an expectation but 100-continue. */
  hasOtherCoding = false;
  hasOtherExpectation = false;

  /** To be called before each header section. */
  reset(): void {
    this.hostStart = -1;
    this.hostEnd = -1;
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.hasUpgrade = false;
    this.expectContinue = false;
    this.hasOtherCoding = false;
    this.hasOtherExpectation = false;
  }

  /** Takes a field's value, [start, end) of the input without white space around it; `base` is where the section begins. */
  note(kind: number, input: Buffer, base: number, start: number, end: number): Http1FaultCode | null {
    switch (kind) {
      case HOST:
        if (this.hostStart >= 0) return 'host-repeated';
        this.hostStart = start - base;
        this.hostEnd = end - base;
        return null;
      case CONTENT_LENGTH:
        return this.#noteLength(input, start, end);
      case TRANSFER_ENCODING:
        return this.#noteCodings(input, start, end);
      case CONNECTION:
        this.#noteOptions(input, start, end);
        return null;
      case EXPECT:
        if (end - start === CONTINUE.length && isBytesOf(input, start, CONTINUE)) this.expectContinue = true;
        else this.hasOtherExpectation = true;
        return null;
      case UPGRADE:
        this.hasUpgrade = true;
        return null;
      default:
        return null;
    }
  }

  /** Equal repeated values and lists of them too are refused, which RFC 9112 §6.3 leaves open: nobody needs them. */
  #noteLength(input: Uint8Array, start: number, end: number): Http1FaultCode | null {
    if (this.contentLength >= 0) return 'length-repeated';
    if (start === end) return 'length-malformed';
    let length = 0;
    for (let i = start; i < end; i++) {
      const digit = byteAt(input, i) - ZERO;
      if (digit < 0 || digit > 9) return 'length-malformed';
      length = length * 10 + digit;
      if (length > Number.MAX_SAFE_INTEGER) return 'length-malformed';
    }
    this.contentLength = length;
    return null;
  }

  #noteCodings(input: Buffer, start: number, end: number): Http1FaultCode | null {
    if (end - start === CHUNKED.length && isBytesOf(input, start, CHUNKED))
      return this.#noteCoding('chunked');
    for (const element of input.toString('latin1', start, end).split(',')) {
      const fault = this.#noteCoding(trimSpace(element).toLowerCase());
      if (fault !== null) return fault;
    }
    return null;
  }

  #noteCoding(coding: string): Http1FaultCode | null {
    // A comma inside a quoted parameter splits it in two. That cannot hide a coding: both parts are refused here or by HeaderSection.check().
    const nameEnd = coding.search(/[ \t;]/);
    const name = nameEnd < 0 ? coding : coding.slice(0, nameEnd);
    // RFC 9112 §7.1: chunked has no parameters.
    if (!isToken(name) || (name === 'chunked' && nameEnd >= 0)) return 'coding-malformed';
    if (this.chunked) return 'coding-after-chunked';
    if (name === 'chunked') this.chunked = true;
    else this.hasOtherCoding = true;
    return null;
  }

  #noteOptions(input: Buffer, start: number, end: number): void {
    if (end - start === KEEP_ALIVE.length && isBytesOf(input, start, KEEP_ALIVE)) this.keepAlive = true;
    else if (end - start === CLOSE.length && isBytesOf(input, start, CLOSE)) this.close = true;
    else {
      for (const element of input.toString('latin1', start, end).toLowerCase().split(',')) {
        const option = trimSpace(element);
        if (option === 'close') this.close = true;
        else if (option === 'keep-alive') this.keepAlive = true;
        else if (option === 'upgrade') this.upgrade = true;
      }
    }
  }
}

/** OWS of RFC 9110 §5.6.3 only: trim() would also take U+00A0, which is a byte like any other here. */
function trimSpace(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
