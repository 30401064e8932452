// What a machine of HTTP/2 writes, in words.
import assert from 'node:assert/strict';
import type { FieldSink } from '../../../src/protocol/http2/hpack/decoder.ts';
import { HpackDecoder } from '../../../src/protocol/http2/hpack/decoder.ts';
import { END_HEADERS, END_STREAM, TYPE, type OutFrame } from './peer.ts';

/** Puts what a machine writes into words, with a decoder that lives as long as the connection. */
export class Reader {
  readonly #decoder = new HpackDecoder(4096);
  #block: Buffer | null = null;
  #start = '';

  fields(bytes: Buffer): string[] {
    const lines: string[] = [];
    const sink: FieldSink = { addField: (name, value) => void lines.push(`${name}: ${value}`) };
    assert.equal(this.#decoder.decode(bytes, 0, bytes.length, sink), null);
    return lines;
  }

  read(frames: readonly OutFrame[]): (string | string[])[] {
    const said: (string | string[])[] = [];
    for (const { type, flags, id, payload } of frames) {
      if (type === TYPE.DATA) {
        said.push(`${id}${flags & END_STREAM ? ' end' : ''} ${payload.toString()}`);
      } else if (type === TYPE.HEADERS || type === TYPE.CONTINUATION) {
        if (type === TYPE.HEADERS) this.#start = `${id}${flags & END_STREAM ? ' end' : ''}`;
        this.#block = Buffer.concat([this.#block ?? Buffer.alloc(0), payload]);
        if ((flags & END_HEADERS) === 0) continue;
        said.push([this.#start, ...this.fields(this.#block)]);
        this.#block = null;
      }
    }
    return said;
  }
}
