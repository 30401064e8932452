// Reads a request line (RFC 9112 §3): finds where its parts are and refuses what is not one. Makes no strings, and does
// not take the target apart.
import { BYTE_CLASS, DIGIT, TARGET, TOKEN } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';
import type { Http1Limits } from './limits.ts';
import { byteAt, CR, LF, READ_DONE, READ_FAULT, READ_MORE, type ReadResult, SP } from './reader.ts';

//  METHOD ── SP ──▶ TARGET ── SP ──▶ VERSION ── 8 bytes ──▶ LINE_CR ── CR ──▶ LINE_LF ── LF ──▶ done
const METHOD = 0;
const TARGET_PART = 1;
const VERSION = 2;
const LINE_CR = 3;
const LINE_LF = 4;

/** HTTP-name "/" DIGIT "." DIGIT (RFC 9112 §2.3); the digits are at 5 and 7. */
const VERSION_PATTERN = Buffer.from('HTTP/0.0');
const MAJOR_AT = 5;
const MINOR_AT = 7;
const ZERO = 0x30;
const ONE = 0x31;

export class RequestLineReader {
  /** All offsets count from the first byte of the line. The method is [0, methodEnd). */
  methodEnd = 0;
  /** The target is [methodEnd + 1, targetEnd); 0 while its end was not seen. */
  targetEnd = 0;
  /** Bytes of the line with its CRLF, once done. */
  length = 0;
  /** 1 for all of HTTP/1.1 to HTTP/1.9 (RFC 9110 §2.5: a higher minor version is read as the highest known). */
  minorVersion: 0 | 1 = 1;
  fault: Http1FaultCode = 'method-malformed';
  readonly #limits: Http1Limits;
  #state = METHOD;
  /** Where to go on. */
  #at = 0;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** To be called before each line. */
  reset(): void {
    this.#state = METHOD;
    this.#at = 0;
    this.targetEnd = 0;
  }

  /** Reads the line that begins at `base`, up to `end`. Called again, it expects the same bytes at `base`, and more. */
  read(input: Uint8Array, base: number, end: number): ReadResult {
    const limits = this.#limits;
    // Local: a binding of another module is loaded anew for each byte.
    const classes = BYTE_CLASS;
    let pos = base + this.#at;
    if (this.#state === METHOD) {
      while (pos < end && (byteAt(classes, byteAt(input, pos)) & TOKEN) !== 0) pos++;
      if (pos - base > limits.maxMethodBytes) return this.#fail('method-too-long');
      if (pos === end) return this.#stop(METHOD, pos - base);
      if (byteAt(input, pos) !== SP || pos === base) return this.#fail('method-malformed');
      this.methodEnd = pos - base;
      pos++;
      this.#state = TARGET_PART;
    }
    if (this.#state === TARGET_PART) {
      while (pos < end && (byteAt(classes, byteAt(input, pos)) & TARGET) !== 0) pos++;
      if (pos - base > limits.maxRequestLineBytes) return this.#fail('request-line-too-long');
      if (pos === end) return this.#stop(TARGET_PART, pos - base);
      const byte = byteAt(input, pos);
      // A line of two parts is HTTP/0.9, which is long gone.
      if (byte === CR || byte === LF) return this.#fail('version-malformed');
      if (byte !== SP || pos - base === this.methodEnd + 1) return this.#fail('target-malformed');
      this.targetEnd = pos - base;
      pos++;
      this.#state = VERSION;
    }
    if (this.#state === VERSION) {
      const start = base + this.targetEnd + 1;
      const versionEnd = start + VERSION_PATTERN.length;
      for (; pos < versionEnd; pos++) {
        if (pos === end) return this.#stop(VERSION, pos - base);
        if (!isVersionByte(byteAt(input, pos), pos - start)) return this.#fail('version-malformed');
      }
      if (pos - base > limits.maxRequestLineBytes) return this.#fail('request-line-too-long');
      if (byteAt(input, start + MAJOR_AT) !== ONE) return this.#fail('version-unsupported');
      this.minorVersion = byteAt(input, start + MINOR_AT) === ZERO ? 0 : 1;
      this.#state = LINE_CR;
    }
    if (this.#state === LINE_CR) {
      if (pos === end) return this.#stop(LINE_CR, pos - base);
      const byte = byteAt(input, pos);
      if (byte !== CR) return this.#fail(byte === LF ? 'bare-lf' : 'version-malformed');
      pos++;
    }
    if (pos === end) return this.#stop(LINE_LF, pos - base);
    if (byteAt(input, pos) !== LF) return this.#fail('bare-cr');
    this.length = pos + 1 - base;
    return READ_DONE;
  }

  #stop(state: number, at: number): ReadResult {
    this.#state = state;
    this.#at = at;
    return READ_MORE;
  }

  #fail(fault: Http1FaultCode): ReadResult {
    this.fault = fault;
    return READ_FAULT;
  }
}

function isVersionByte(byte: number, index: number): boolean {
  return index === MAJOR_AT || index === MINOR_AT
    ? (byteAt(BYTE_CLASS, byte) & DIGIT) !== 0
    : byte === byteAt(VERSION_PATTERN, index);
}
