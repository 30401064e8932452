// Reads a header or trailer section (RFC 9112 §5, §7.1.2) up to and with its empty line. Makes no strings: the lines are
// cut out of the text by parseFieldLines when somebody wants them.
import { BYTE_CLASS, FIELD_VALUE, TOKEN } from '../http/grammar.ts';
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
    const valueLimits = Array.from({ length: FIELD_KINDS }, () => limits.maxHeaderValueBytes);
    valueLimits[AUTHORIZATION] = limits.maxAuthorizationValueBytes;
    valueLimits[COOKIE] = limits.maxCookieValueBytes;
    this.#valueLimits = valueLimits;
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
    const limits = this.#limits;
    const framing = this.#framing;
    const stop = Math.min(end, base + this.#maxBytes);
    let pos = base + this.#at;
    let state = this.#state;
    for (;;) {
      // Every state reads at least one byte. Where there is none the section is incomplete or, at the limit, too large.
      if (pos >= stop) return this.#pause(state, pos - base);
      switch (state) {
        case LINE_START: {
          const byte = byteAt(input, pos);
          if (byte === CR) {
            pos++;
            state = END_LF;
            continue;
          }
          if (byte === SP || byte === HTAB) return this.#fail('folded-line');
          if (byte === LF) return this.#fail('bare-lf');
          this.#nameStart = pos - base;
          state = NAME;
          continue;
        }
        case NAME: {
          while (pos < stop && (byteAt(BYTE_CLASS, byteAt(input, pos)) & TOKEN) !== 0) pos++;
          const start = base + this.#nameStart;
          if (pos - start > limits.maxHeaderNameBytes) return this.#fail('name-too-long');
          if (pos === stop) continue;
          const byte = byteAt(input, pos);
          if (byte !== COLON || pos === start) return this.#fail(faultInName(byte, pos === start));
          this.#count++;
          if (this.#count > limits.maxHeaders) return this.#fail('too-many-fields');
          if (framing !== null) this.#kind = recogniseField(input, start, pos);
          pos++;
          state = SPACE;
          continue;
        }
        case SPACE: {
          const byte = byteAt(input, pos);
          if (byte === SP || byte === HTAB) pos++;
          else {
            this.#valueStart = pos - base;
            state = VALUE;
          }
          continue;
        }
        case VALUE: {
          while (pos < stop && (byteAt(BYTE_CLASS, byteAt(input, pos)) & FIELD_VALUE) !== 0) pos++;
          if (pos - base - this.#valueStart > (this.#valueLimits[this.#kind] as number))
            return this.#fail('value-too-long');
          if (pos === stop) continue;
          const byte = byteAt(input, pos);
          if (byte !== CR) return this.#fail(byte === LF ? 'bare-lf' : 'value-malformed');
          pos++;
          state = VALUE_LF;
          continue;
        }
        case VALUE_LF: {
          if (byteAt(input, pos) !== LF) return this.#fail('bare-cr');
          pos++;
          state = LINE_START;
          if (this.#kind === OTHER_FIELD || framing === null) continue;
          const start = base + this.#valueStart;
          const valueEnd = trimEnd(input, start, pos - 2);
          const fault = framing.note(this.#kind, input, base, start, valueEnd);
          if (fault !== null) return this.#fail(fault);
          continue;
        }
        default: {
          if (byteAt(input, pos) !== LF) return this.#fail('bare-cr');
          this.length = pos + 1 - base;
          return READ_DONE;
        }
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
  return byte === SP || byte === HTAB ? 'name-space' : 'name-malformed';
}

/** Where the value ends without the white space after it. */
function trimEnd(input: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && (byteAt(input, last - 1) === SP || byteAt(input, last - 1) === HTAB)) last--;
  return last;
}
