// A client made of bare frames, for tests of the connection machine: it builds frames by hand (with no code of the
// machine's), and takes its output apart again. Not a test.
import { test } from 'node:test';
import { Http2Connection } from '../../../src/protocol/http2/connection.ts';
import type { Http2Events } from '../../../src/protocol/http2/events.ts';
import type { Http2Fault } from '../../../src/protocol/http2/fault.ts';
import type { HeadRefusal, Http2RequestHead } from '../../../src/protocol/http2/head-builder.ts';
import type { Http2Options } from '../../../src/protocol/http2/options.ts';
import type { Http2Stream } from '../../../src/protocol/http2/stream.ts';

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  PRIORITY_UPDATE: 16,
};
export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
};
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 32;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Buffer | string | readonly number[] = '',
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

/** A SETTINGS payload. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(pairs.length * 6);
  for (const [i, [identifier, value]] of pairs.entries()) {
    bytes.writeUInt16BE(identifier, i * 6);
    bytes.writeUInt32BE(value, i * 6 + 2);
  }
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    let rest = bytes.length - 127;
    length.push(127);
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push(128 + (rest % 128));
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** A header block of literals without indexing. */
export function block(...fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), string(name), string(value)])),
  );
}

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.org'],
  [':path', '/'],
];
export const POST: readonly (readonly [string, string])[] = [[':method', 'POST'], ...GET.slice(1)];

/** A whole request in one HEADERS frame. */
export function request(id: number, ...extra: readonly (readonly [string, string])[]): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, id, block(...GET, ...extra));
}

/** The head of a request whose body follows. */
export function post(id: number, ...extra: readonly (readonly [string, string])[]): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS, id, block(...POST, ...extra));
}

export function data(id: number, payload: Buffer | string, end = false): Buffer {
  return frame(TYPE.DATA, end ? END_STREAM : 0, id, payload);
}

export interface Seen {
  readonly event: 'head' | 'refused' | 'data' | 'end' | 'reset' | 'drain' | 'goaway' | 'pong' | 'fault';
  readonly id: number;
  readonly head?: Http2RequestHead;
  readonly refusal?: HeadRefusal;
  readonly text?: string;
  readonly trailers?: readonly string[];
  readonly code?: number;
  readonly fault?: Http2Fault | null;
}

export interface OutFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export class Peer {
  readonly connection: Http2Connection;
  readonly seen: Seen[] = [];
  readonly streams = new Map<number, Http2Stream>();
  /** All octets that the machine has written. */
  outputBytes = 0;
  /** Called for each request head. */
  onHead: (stream: Http2Stream, head: Http2RequestHead) => void = () => {};
  onData: (stream: Http2Stream, bytes: Buffer) => void = () => {};
  onDrain: (stream: Http2Stream) => void = () => {};
  readonly #feed: Feed;
  #output: Buffer = Buffer.alloc(0);

  constructor(options: Partial<Http2Options> = {}, feed: Feed = feedWhole) {
    this.#feed = feed;
    this.connection = new Http2Connection(this.#events(), options);
  }

  /** A peer whose preface and settings are exchanged and whose output is empty. */
  static ready(options: Partial<Http2Options> = {}, feed: Feed = feedWhole, ownSettings = settings()): Peer {
    const peer = new Peer(options, feed);
    peer.send(PREFACE, frame(TYPE.SETTINGS, 0, 0, ownSettings), frame(TYPE.SETTINGS, ACK, 0));
    peer.frames();
    return peer;
  }

  send(...chunks: readonly Buffer[]): this {
    this.#feed(Buffer.concat(chunks), (chunk) => this.connection.receive(chunk));
    return this;
  }

  /** Takes all output as frames. */
  frames(maxBytes?: number): OutFrame[] {
    const pieces = this.connection.takeOutput(maxBytes).map((piece) => Buffer.from(piece));
    this.#output = Buffer.concat([this.#output, ...pieces]);
    const frames: OutFrame[] = [];
    let at = 0;
    while (at < this.#output.length) {
      const length = this.#output.readUIntBE(at, 3);
      frames.push({
        type: this.#output.readUInt8(at + 3),
        flags: this.#output.readUInt8(at + 4),
        id: this.#output.readUInt32BE(at + 5),
        payload: this.#output.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
    this.outputBytes += at;
    this.#output = this.#output.subarray(at);
    return frames;
  }

  stream(id: number): Http2Stream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`no stream ${id}`);
    return stream;
  }

  /** Code of the connection's fault; null for none. */
  get faultCode(): number | null {
    return this.connection.fault === null ? null : this.connection.fault.code;
  }

  /** Code of the RST_STREAM in the output for the stream; null for none. Takes the output. */
  resetCode(id: number): number | null {
    const reset = this.frames().find((f) => f.type === TYPE.RST_STREAM && f.id === id);
    return reset === undefined ? null : reset.payload.readUInt32BE(0);
  }

  /** Names of the events so far, with the stream. */
  get events(): string[] {
    return this.seen.map(({ event, id }) => (id === 0 ? event : `${event} ${id}`));
  }

  heads(): Http2RequestHead[] {
    return this.seen.flatMap(({ head }) => (head === undefined ? [] : [head]));
  }

  #events(): Http2Events {
    const add = (seen: Seen): void => {
      this.seen.push(seen);
    };
    return {
      receiveHead: (stream, head) => {
        this.streams.set(stream.id, stream);
        add({ event: 'head', id: stream.id, head });
        this.onHead(stream, head);
      },
      receiveRefusedHead: (stream, refusal) => {
        this.streams.set(stream.id, stream);
        add({ event: 'refused', id: stream.id, refusal });
      },
      receiveData: (stream, bytes) => {
        add({ event: 'data', id: stream.id, text: bytes.toString('latin1') });
        this.onData(stream, bytes);
      },
      receiveEnd: (stream, trailers) => add({ event: 'end', id: stream.id, trailers }),
      receiveReset: (stream, code, fault) => add({ event: 'reset', id: stream.id, code, fault }),
      receiveDrain: (stream) => {
        add({ event: 'drain', id: stream.id });
        this.onDrain(stream);
      },
      receiveGoaway: (id, code, text) => add({ event: 'goaway', id, code, text }),
      receivePong: (id) => add({ event: 'pong', id }),
      receiveFault: (fault) => add({ event: 'fault', id: 0, fault }),
    };
  }
}

/** How bytes are cut into chunks. */
export type Feed = (bytes: Buffer, receive: (chunk: Buffer) => void) => void;

export const feedWhole: Feed = (bytes, receive) => receive(bytes);

export const feedBytes: Feed = (bytes, receive) => {
  // Each in a buffer of its own, overwritten afterwards: what the machine keeps it must have copied.
  for (const byte of bytes) {
    const chunk = Buffer.from([byte]);
    receive(chunk);
    chunk.fill(0xee);
  }
};

/** Registers a test that runs with the bytes whole and one at a time. */
export function eachWay(name: string, body: (feed: Feed) => void): void {
  test(name, () => {
    body(feedWhole);
    body(feedBytes);
  });
}
