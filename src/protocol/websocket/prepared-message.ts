// Messages as whole frames, made once to be sent on many connections: a server's frames bear no mask, so that all get the same
// bytes; and compressed once for all that have a window of one size.
import type { DeflateCodec } from './deflate-codec.ts';
import { makeFrame } from './frame-writer.ts';
import { BINARY, COMPRESSED_BIT, FIN_BIT, TEXT } from './opcode.ts';

/** A message in one frame, for any number of connections. */
export class PreparedMessage {
  /** As it is without compression. */
  readonly frame: Buffer;
  readonly #opcode: number;
  readonly #payloadStart: number;
  /** By the bits of the window. */
  #compressed: Map<number, Buffer> | null = null;

  constructor(opcode: number, payload: Uint8Array) {
    this.frame = makeFrame(FIN_BIT | opcode, payload);
    this.#opcode = opcode;
    this.#payloadStart = this.frame.length - payload.length;
  }

  get payloadBytes(): number {
    return this.frame.length - this.#payloadStart;
  }

  /** As it is for connections with this codec; uncompressed where that is no longer. */
  frameFor(codec: DeflateCodec): Buffer {
    const { windowBits } = codec;
    const known = this.#compressed?.get(windowBits);
    if (known !== undefined) return known;
    const payload = codec.deflateAlone(this.frame.subarray(this.#payloadStart));
    const frame =
      payload.length < this.payloadBytes
        ? makeFrame(FIN_BIT | COMPRESSED_BIT | this.#opcode, payload)
        : this.frame;
    this.#compressed ??= new Map();
    this.#compressed.set(windowBits, frame);
    return frame;
  }
}

/** Lone surrogates become U+FFFD. */
export function prepareText(text: string): PreparedMessage {
  return new PreparedMessage(TEXT, Buffer.from(text));
}

export function prepareBinary(data: Uint8Array): PreparedMessage {
  return new PreparedMessage(BINARY, data);
}
