// The interface of stream handlers: they see every event of a stream, from the outside in, and every command, from the
// inside out. Not the interpreter of those commands (stream.ts).
import type { X509Certificate } from 'node:crypto';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { Commands, ResponseCommand } from './command.ts';

/** What a proxy in front of the listener said of the connection with the PROXY protocol (version 1 or 2). */
export interface ProxyInfo {
  /** Where the proxy's connection to us came from; `ConnectionInfo` has the client that the proxy named. */
  readonly address: string;
  readonly port: number;
  /** Type → value of the TLVs of version 2. */
  readonly tlvs: ReadonlyMap<number, Buffer>;
}

/** What all streams of one connection share. */
export interface ConnectionInfo {
  readonly scheme: 'http' | 'https';
  readonly listenerId: number;
  /** Address without port and port of the client; address is empty for a UNIX socket. */
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The client's, where the listener asked for one and it was verified; else null. */
  readonly clientCertificate: X509Certificate | null;
  /** null: no proxy said anything. */
  readonly proxy: ProxyInfo | null;
}

/** A stream as its handlers see it. */
export interface StreamHandle {
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  /** Identifies the request in logs and error responses; made when first read. */
  readonly id: string;
  /** False while the client does not keep up; DRAINED is then cast to the stream as soon as it does. */
  readonly writable: boolean;
  /** Has the answer to a GET of `path` (with query) sent unasked, as a stream of its own. False where that is not possible. */
  push(path: string, fields: FieldLines): boolean;
  /** Sends a message to the stream from anywhere; it reaches `info` of the outermost handler. Ignored once it is over. */
  cast(message: unknown): void;
}

/** Cast to a stream whose client has taken what was waiting for it. */
export const DRAINED: unique symbol = Symbol('drained');

/** Cast to a stream whose connection is to end: the server, or the connection, goes away. */
export const DRAINING: unique symbol = Symbol('draining');

/** Why a stream ended. */
export type StreamEnd = 'answered' | 'aborted' | 'client-left' | 'failed';

/** Sees the events of one stream, and answers each with commands. */
export interface StreamHandler {
  /** The request head is there (`stream.head`). */
  init(): Commands;
  /** A piece of the request body that `flow` asked for: a view, copy to keep. */
  data(chunk: Buffer): Commands;
  /** The request is complete. */
  end(trailers: FieldLines): Commands;
  /** A message cast to the stream. */
  info(message: unknown): Commands;
  /** The stream is over; called once, last. */
  terminate(end: StreamEnd): void;
}

/** Makes a handler for each stream. */
export interface StreamHandlerFactory {
  /**
   * `next` makes the handler further in, for this stream or for what it is to see of it; a handler that answers by itself need
   * not call it.
   */
  open(stream: StreamHandle, next: (stream?: StreamHandle) => StreamHandler): StreamHandler;
  /**
   * May change, not drop, the response to something that never became a request (malformed, too large, too slow).
   * `partial` is what is known of the request.
   */
  earlyError?(response: ResponseCommand, partial: { method: string; path: string } | null): ResponseCommand;
}

/** The last factory has no further one to call. */
export type StreamHandlerChain = readonly [StreamHandlerFactory, ...StreamHandlerFactory[]];

/** Makes the handlers of one stream, outermost first. */
export function openHandlers(chain: StreamHandlerChain, stream: StreamHandle): StreamHandler {
  return chain.length === 1 ? chain[0].open(stream, noNext) : openFrom(chain, 0, stream);
}

function openFrom(chain: StreamHandlerChain, index: number, stream: StreamHandle): StreamHandler {
  const factory = chain[index];
  if (factory === undefined) return noNext();
  return factory.open(stream, (inner = stream) => openFrom(chain, index + 1, inner));
}

function noNext(): never {
  throw new Error('the last stream handler has no next one');
}
