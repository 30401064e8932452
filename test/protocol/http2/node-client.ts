// Joins node:http2's client to the connection machine in memory, for conversations with a peer that is not ours. Not a
// test.
import { connect } from 'node:http2';
import type {
  ClientHttp2Session,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
  Settings,
} from 'node:http2';
import { Duplex } from 'node:stream';
import { Http2Connection } from '../../../src/protocol/http2/connection.ts';
import type { Http2Events } from '../../../src/protocol/http2/events.ts';
import type { Http2RequestHead } from '../../../src/protocol/http2/head-builder.ts';
import type { Http2Options } from '../../../src/protocol/http2/options.ts';
import type { Http2Stream } from '../../../src/protocol/http2/stream.ts';

/** The client's end of a pair whose other end is a function. */
class ClientEnd extends Duplex {
  receive: (chunk: Buffer) => void = () => {};
  /** The client has room. */
  wants: () => void = () => {};
  override _read(): void {
    this.wants();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.receive(chunk);
    done();
  }
  override _final(done: () => void): void {
    this.push(null);
    done();
  }
}

export interface Received {
  readonly stream: Http2Stream;
  readonly head: Http2RequestHead;
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

export class NodeClient {
  readonly client: ClientHttp2Session;
  readonly connection: Http2Connection;
  /** Called with each complete request. */
  onRequest: (request: Received) => void = () => {};
  onHead: (stream: Http2Stream, head: Http2RequestHead) => void = () => {};
  readonly resets: [id: number, code: number][] = [];
  readonly faults: string[] = [];
  #flushing = false;
  readonly #end = new ClientEnd();

  constructor(options: Partial<Http2Options> = {}, settings: Settings = {}) {
    this.connection = new Http2Connection(this.#events(), options);
    this.#end.receive = (chunk) => {
      this.connection.receive(chunk);
      this.flushSoon();
    };
    this.#end.wants = () => this.flushSoon();
    this.client = connect('http://example.org', { createConnection: () => this.#end, settings });
    this.flushSoon();
  }

  /** Writes output as a driver does: after everything that happens, while the other end takes it. */
  flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (this.#end.destroyed || this.#end.readableEnded) return;
      let room = true;
      while (room && this.connection.hasOutput) {
        for (const piece of this.connection.takeOutput()) room = this.#end.push(Buffer.from(piece));
      }
    });
  }

  #events(): Http2Events {
    const open = new Map<Http2Stream, { head: Http2RequestHead; pieces: Buffer[] }>();
    return {
      receiveHead: (stream, head) => {
        this.onHead(stream, head);
        if (!head.hasBody) this.onRequest({ stream, head, body: Buffer.alloc(0), trailers: [] });
        else open.set(stream, { head, pieces: [] });
      },
      receiveRefusedHead: (stream, { status }) => {
        this.connection.sendResponse(stream, status, [], null, '', null);
      },
      receiveData: (stream, bytes) => {
        open.get(stream)?.pieces.push(Buffer.from(bytes));
        this.connection.releaseData(stream, bytes.length);
      },
      receiveEnd: (stream, trailers) => {
        const request = open.get(stream);
        if (request === undefined) return;
        open.delete(stream);
        this.onRequest({ stream, head: request.head, body: Buffer.concat(request.pieces), trailers });
      },
      receiveReset: (stream, code) => {
        this.resets.push([stream.id, code]);
        open.delete(stream);
      },
      receiveDrain: () => {},
      receiveGoaway: () => {},
      receivePong: () => {},
      receiveFault: (fault) => void this.faults.push(fault.reason),
    };
  }

  /** Ends the client, and waits until it has closed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.client.once('close', resolve));
    this.client.close();
    await closed;
  }

  fetch(headers: OutgoingHttpHeaders, body?: Buffer, trailers?: OutgoingHttpHeaders): Promise<Fetched> {
    return new Promise((resolve, reject) => {
      const request = this.client.request(headers, {
        endStream: body === undefined,
        waitForTrailers: trailers !== undefined,
      });
      const fetched: Fetched = { headers: {}, informational: [], body: Buffer.alloc(0), trailers: {} };
      const pieces: Buffer[] = [];
      request.on('headers', (info) => fetched.informational.push(info));
      request.on('response', (info) => (fetched.headers = info));
      request.on('trailers', (info) => (fetched.trailers = info));
      request.on('wantTrailers', () => request.sendTrailers(trailers ?? {}));
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('error', reject);
      request.on('close', () => {
        fetched.body = Buffer.concat(pieces);
        resolve(fetched);
      });
      if (body !== undefined) request.end(body);
    });
  }
}

export interface Fetched {
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly informational: IncomingHttpHeaders[];
  body: Buffer;
  trailers: IncomingHttpHeaders;
}
