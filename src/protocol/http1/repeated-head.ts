// The head that whole responses repeat but for their length, as bytes. A handler gives the same fields each time, and the date is the
// same for a second: copying bytes costs half as much as putting the text together and encoding it.
import type { ByteWriter } from '../http/byte-writer.ts';
import { CR, LF } from './reader.ts';
import type { ResponseFields } from './response-fields.ts';

/** Larger heads are encoded each time: the bytes are kept. */
const MAX_REPEATED_BYTES = 2048;
const LENGTH_NAME = 'content-length: ';
const ZERO = 0x30;
/** Digits of a safe integer, and the two line ends behind them. */
const MAX_LENGTH_BYTES = 20;

export class RepeatedHead {
  #prefix = '';
  #connection = '';
  #version = 0;
  /** null: these have come only once so far. */
  #bytes: Buffer | null = null;

  /**
   * Writes a head of these parts, in latin1, with a content-length at its end; `prefix` is not empty. False, and nothing is written, where
   * the head before was another one.
   */
  write(
    out: ByteWriter,
    prefix: string,
    connection: string,
    fields: ResponseFields,
    length: number,
  ): boolean {
    // The numbers first: equal texts that are not the same object take longer to compare than they save.
    if (fields.version !== this.#version || prefix !== this.#prefix || connection !== this.#connection) {
      this.#note(prefix, connection, fields);
      return false;
    }
    this.#bytes ??= Buffer.from(`${prefix}${connection}${fields.text}${LENGTH_NAME}`, 'latin1');
    const bytes = this.#bytes;
    const slab = out.reserve(bytes.length + MAX_LENGTH_BYTES);
    const start = out.position;
    slab.set(bytes, start);
    const end = writeLength(slab, start + bytes.length, length);
    out.advance(end - start);
    return true;
  }

  #note(prefix: string, connection: string, { text, version }: ResponseFields): void {
    this.#version = version;
    this.#connection = connection;
    this.#prefix = prefix.length + connection.length + text.length <= MAX_REPEATED_BYTES ? prefix : '';
    this.#bytes = null;
  }
}

/** Puts the digits and the end of the head at `at`; returns where that ends. */
function writeLength(slab: Buffer, at: number, length: number): number {
  let digits = 1;
  for (let above = 10; above <= length; above *= 10) digits++;
  let rest = length;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.trunc(rest / 10);
    slab[i] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  const end = at + digits;
  slab[end] = CR;
  slab[end + 1] = LF;
  slab[end + 2] = CR;
  slab[end + 3] = LF;
  return end + 4;
}
