// Reads the framing of a chunked body (RFC 9112 §7.1): everything but the data, which the receiver passes on, and the
// trailer section, which FieldSectionReader reads. Keeps no bytes.
import { BYTE_CLASS, FIELD_VALUE } from '../http/grammar.ts';
import type { Http1FaultCode } from './fault.ts';
import type { Http1Limits } from './limits.ts';
import { byteAt, CR, LF, READ_DONE, READ_FAULT, READ_MORE, type ReadResult, SEMICOLON } from './reader.ts';

//  (first) ─────────────────────▶ SIZE ── CR ──▶ SIZE_LF ── LF ──▶ done: `size` bytes of data follow, 0 at the last
//                                 ▲  │                ▲
//  (next) ─▶ DATA_CR ─▶ DATA_LF ──┘  └─ ";" ─▶ EXTENSION ── CR
const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA_CR = 3;
const DATA_LF = 4;

export class ChunkedBodyReader {
  /** Bytes of data in the chunk, once done. */
  size = 0;
  /** Where the last read stopped. */
  position = 0;
  fault: Http1FaultCode = 'chunk-size-malformed';
  readonly #limits: Http1Limits;
  #state = SIZE;
  #lineBytes = 0;
  #extensionBytes = 0;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** To be called before each body. */
  reset(): void {
    this.#state = SIZE;
    this.#lineBytes = 0;
    this.#extensionBytes = 0;
    this.size = 0;
  }

  /** Reads from `start` to `end` at most; called again after the data of a chunk, it begins with the CRLF behind them. */
  read(input: Uint8Array, start: number, end: number): ReadResult {
    const limits = this.#limits;
    let pos = start;
    for (; pos < end; pos++) {
      const byte = byteAt(input, pos);
      switch (this.#state) {
        case DATA_CR:
          if (byte !== CR) return this.#fail('chunk-end-malformed');
          this.#state = DATA_LF;
          break;
        case DATA_LF:
          if (byte !== LF) return this.#fail('chunk-end-malformed');
          this.#state = SIZE;
          this.#lineBytes = 0;
          this.size = 0;
          break;
        case SIZE: {
          const digit = hexValue(byte);
          if (digit >= 0) {
            this.size = this.size * 16 + digit;
            if (this.size > Number.MAX_SAFE_INTEGER) return this.#fail('chunk-size-too-large');
          } else if (this.#lineBytes === 0) return this.#fail('chunk-size-malformed');
          else if (byte === CR) this.#state = SIZE_LF;
          else if (byte === SEMICOLON) this.#state = EXTENSION;
          else return this.#fail(byte === LF ? 'bare-lf' : 'chunk-size-malformed');
          if (byte !== CR && !this.#countLineByte()) return this.#fail('chunk-line-too-long');
          break;
        }
        case EXTENSION:
          if (byte === CR) this.#state = SIZE_LF;
          else if ((byteAt(BYTE_CLASS, byte) & FIELD_VALUE) === 0) {
            return this.#fail(byte === LF ? 'bare-lf' : 'chunk-extension-malformed');
          } else {
            this.#extensionBytes++;
            if (this.#extensionBytes > limits.maxChunkExtensionBytes)
              return this.#fail('chunk-extensions-too-large');
            if (!this.#countLineByte()) return this.#fail('chunk-line-too-long');
          }
          break;
        default:
          if (byte !== LF) return this.#fail('bare-cr');
          this.#state = DATA_CR;
          this.position = pos + 1;
          return READ_DONE;
      }
    }
    this.position = pos;
    return READ_MORE;
  }

  #countLineByte(): boolean {
    this.#lineBytes++;
    return this.#lineBytes <= this.#limits.maxChunkLineBytes;
  }

  #fail(fault: Http1FaultCode): ReadResult {
    this.fault = fault;
    return READ_FAULT;
  }
}

/** Value of a hexadecimal digit; -1 for any other byte. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
