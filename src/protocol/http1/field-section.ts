// Reads a header or trailer section (RFC 9112 §5, §7.1.2) up to and with its empty line. Makes no strings: the lines are
// cut out of the text by parseFieldLines when somebody wants them.
import { BYTE_CLASS, TOKEN } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';
import {
  AUTHORIZATION,
  COOKIE,
  FIELD_KINDS,
  type FramingFields,
  OTHER_FIELD,
  recogniseField,
} from './framing-fields.ts';
import type { Http1Limits } from './limits.ts';
import {
  byteAt,
  COLON,
  CR,
  HTAB,
  LF,
  READ_DONE,
  READ_FAULT,
  READ_MORE,
  type ReadResult,
  SP,
} from './reader.ts';

//            ┌──────────────────────────── LF ────────────────────────────┐
//            ▼                                                            │
//  ┌──▶ LINE_START ── tchar ──▶ NAME ── ":" ──▶ SPACE ──▶ VALUE ── CR ──▶ VALUE_LF
//            │
//            └── CR ──▶ END_LF ── LF ──▶ done
const LINE_START = 0;
const NAME = 1;
const SPACE = 2;
const VALUE = 3;
const VALUE_LF = 4;
const END_LF = 5;

/** By the limits: the connections of a server share them. */
const knownValueLimits = new WeakMap<Http1Limits, readonly number[]>();

/** The most bytes of a value, by the kind of field. */
function valueLimitsOf(limits: Http1Limits): readonly number[] {
  const known = knownValueLimits.get(limits);
  if (known !== undefined) return known;
  const valueLimits = Array.from({ length: FIELD_KINDS }, () => limits.maxHeaderValueBytes);
  valueLimits[AUTHORIZATION] = limits.maxAuthorizationValueBytes;
  valueLimits[COOKIE] = limits.maxCookieValueBytes;
  knownValueLimits.set(limits, valueLimits);
  return valueLimits;
}

export class FieldSectionReader {
  /** Bytes of the section with its empty line, once done. */
  length = 0;
  fault: Http1FaultCode = 'name-malformed';
  readonly #limits: Http1Limits;
  readonly #framing: FramingFields | null;
  readonly #valueLimits: readonly number[];
  readonly #tooLarge: Http1FaultCode;
  #maxBytes = 0;
  #state = LINE_START;
  /** Where to go on; these three count from the first byte of the section. */
  #at = 0;
  #nameStart = 0;
  #valueStart = 0;
  #kind = OTHER_FIELD;
  #count = 0;

  /** `framing` is told of the fields that decide on framing; a trailer section has none (they are dropped). */
  constructor(limits: Http1Limits, framing: FramingFields | null) {
    this.#limits = limits;
    this.#framing = framing;
    this.#tooLarge = framing === null ? 'trailers-too-large' : 'head-too-large';
    this.#valueLimits = valueLimitsOf(limits);
  }

  /** To be called before each section, with the bytes that it may have. */
  reset(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#state = LINE_START;
    this.#at = 0;
    this.#kind = OTHER_FIELD;
    this.#count = 0;
  }

  /** Reads the section that begins at `base`, up to `end`. Called again, it expects the same bytes at `base`, and more. */
  read(input: Buffer, base: number, end: number): ReadResult {
    const { maxHeaderNameBytes, maxHeaders } = this.#limits;
    const framing = this.#framing;
    // Local: a binding of another module is loaded anew for each byte.
    const classes = BYTE_CLASS;
    const stop = Math.min(end, base + this.#maxBytes);
    let pos = base + this.#at;
    let state = this.#state;
    for (;;) {
      if (state === LINE_START) {
        if (pos >= stop) return this.#pause(LINE_START, pos - base);
        const byte = byteAt(input, pos);
        if (byte === CR) {
          pos++;
          state = END_LF;
        } else if (isSpace(byte)) return this.#fail('folded-line');
        else if (byte === LF) return this.#fail('bare-lf');
        else {
          this.#nameStart = pos - base;
          state = NAME;
        }
      }
      if (state === NAME) {
        while (pos < stop && (byteAt(classes, byteAt(input, pos)) & TOKEN) !== 0) pos++;
        const start = base + this.#nameStart;
        if (pos - start > maxHeaderNameBytes) return this.#fail('name-too-long');
        if (pos >= stop) return this.#pause(NAME, pos - base);
        const byte = byteAt(input, pos);
        if (byte !== COLON || pos === start) return this.#fail(faultInName(byte, pos === start));
        this.#count++;
        if (this.#count > maxHeaders) return this.#fail('too-many-fields');
        if (framing !== null) this.#kind = recogniseField(input, start, pos);
        pos++;
        state = SPACE;
      }
      if (state === SPACE) {
        while (pos < stop && isSpace(byteAt(input, pos))) pos++;
        if (pos >= stop) return this.#pause(SPACE, pos - base);
        this.#valueStart = pos - base;
        state = VALUE;
      }
      if (state === VALUE) {
        while (pos < stop && isValueByte(byteAt(input, pos))) pos++;
        if (pos - base - this.#valueStart > (this.#valueLimits[this.#kind] as number))
          return this.#fail('value-too-long');
        if (pos >= stop) return this.#pause(VALUE, pos - base);
        const byte = byteAt(input, pos);
        if (byte !== CR) return this.#fail(byte === LF ? 'bare-lf' : 'value-malformed');
        pos++;
        state = VALUE_LF;
      }
      if (pos >= stop) return this.#pause(state, pos - base);
      // VALUE_LF or END_LF
      if (byteAt(input, pos) !== LF) return this.#fail('bare-cr');
      pos++;
      if (state === END_LF) {
        this.length = pos - base;
        return READ_DONE;
      }
      state = LINE_START;
      if (framing !== null && this.#kind !== OTHER_FIELD) {
        const start = base + this.#valueStart;
        const fault = framing.note(this.#kind, input, base, start, trimEnd(input, start, pos - 2));
        if (fault !== null) return this.#fail(fault);
      }
    }
  }

  #pause(state: number, at: number): ReadResult {
    this.#state = state;
    this.#at = at;
    return at >= this.#maxBytes ? this.#fail(this.#tooLarge) : READ_MORE;
  }

  #fail(fault: Http1FaultCode): ReadResult {
    this.fault = fault;
    return READ_FAULT;
  }
}

function faultInName(byte: number, isEmpty: boolean): Http1FaultCode {
  if (isEmpty) return 'name-malformed';
  return isSpace(byte) ? 'name-space' : 'name-malformed';
}

/** Where the value ends without the white space after it. */
function trimEnd(input: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && isSpace(byteAt(input, last - 1))) last--;
  return last;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

/**
 * HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). Most bytes of a head are looked at here: two comparisons beat the table, and
 * numbers beat named constants, which are loaded anew for each byte.
 */
function isValueByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte === 0x09;
}
