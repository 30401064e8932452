// One request and its answer as application code (SQL routes, TypeScript handlers) sees them: the contract between the
// router's handlers and the stream handler that runs them. The implementation is request-handler.ts.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { ConnectionInfo } from '../server/stream-handler.ts';
import type { ProtocolSwitch } from '../server/websocket-handshake.ts';

/** One end of a connection. */
export interface Endpoint {
  /** Address without port; empty for a UNIX socket. */
  readonly address: string;
  readonly port: number;
}

/** A response whose body is at hand. */
export interface WholeResponse {
  readonly status: number;
  /** Names in any case; protocol-specific ones are the engine's and dropped, bad names or values end in a 500. */
  readonly fields: FieldLines;
  /** null: no body, and no content-length is made up for it. A string is sent as UTF-8. */
  readonly body: Buffer | string | null;
}

/** A response whose body comes as it is made; `destroy` is called when nobody wants the rest. */
export interface StreamedResponse {
  readonly status: number;
  readonly fields: FieldLines;
  readonly body: AsyncIterable<Uint8Array>;
  /** Asked for when the body has ended. */
  readonly trailers?: () => FieldLines;
}

/** Why a body was not delivered. */
export type BodyRefusal = 'too-large' | 'client-left';

/** A response whose body is pushed, by whoever has news for the client. */
export interface ResponseSink {
  /** False while what was sent waits for the client; `onDrain` follows. */
  readonly writable: boolean;
  /** Sends a piece, kept by reference: leave it unchanged. Dropped once the answer is over. */
  write(data: Buffer): void;
  end(): void;
  /** Cuts the response, so that the client sees that it is not whole; the error is observed. */
  fail(error: unknown): void;
  /** `writable` is true again. */
  onDrain(listener: () => void): void;
}

/** One request and its answer, as targets take them that want no Request and Response objects. */
export interface Exchange {
  readonly head: RequestHead;
  readonly scheme: 'http' | 'https';
  /** What all requests of the connection share. */
  readonly connection: ConnectionInfo;
  readonly peer: Endpoint;
  readonly local: Endpoint;
  /** Row id of the listener that accepted the connection. */
  readonly listenerId: number;
  /** Identifies the request in logs and in error responses; made when first read. */
  readonly id: string;
  /** True once the answer is complete, the client has left or the stream was reset: nothing more is sent. */
  readonly closed: boolean;

  /**
   * Reads the whole body and then calls `done` once (at once for a request without one). Over `limitBytes` the engine
   * answers 413, and `done` is never called; `refused` is, once, then and where the client leaves before the end. The
   * buffer belongs to the callee.
   */
  collectBody(
    limitBytes: number,
    done: (body: Buffer) => void,
    refused?: (reason: BodyRefusal) => void,
  ): void;
  /** The body as it comes, with back-pressure. Once per request, and not beside collectBody. */
  bodyStream(): AsyncIterable<Buffer>;
  /** The trailers of the request; empty as long as its body has not ended. */
  readonly trailers: FieldLines;

  /**
   * Answers. Exactly one of respond, respondStreamed, respondPushed, switchProtocol, fail, abort per request; what comes after the
   * first is dropped.
   */
  respond(response: WholeResponse): void;
  /** As it is made, no faster than the client takes it. */
  respondStreamed(response: StreamedResponse): void;
  /** Begins a response whose body follows as it is pushed; null where the request is answered already. */
  respondPushed(status: number, fields: FieldLines): ResponseSink | null;
  /** Agrees to the other protocol that the request asks for: HTTP ends here. A 500 where it asks for none. */
  switchProtocol(to: ProtocolSwitch): void;
  /** Answers an error of the server's own making, as the error responses of the engine look. */
  fail(status: number, detail?: string): void;
  /** Ends the connection (HTTP/2: the stream) without an answer. */
  abort(): void;
  /** Cuts the answer that has begun, so that the client sees that it is not whole; the error is observed. */
  cut(error: unknown): void;
  /** Sends an informational response (1xx, not 101) before the answer. */
  inform(status: number, fields: FieldLines): void;
  /**
   * Has the answer to a GET of `path` (with query) sent before the client asks for it. False where the client does not
   * allow it, or HTTP/1 is spoken.
   */
  push(path: string, fields: FieldLines): boolean;
  /** Sends a message to this exchange, from anywhere; its listeners hear it, unless the answer is complete. */
  cast(message: unknown): void;
  /** Returns how to stop listening. */
  onMessage(listener: (message: unknown) => void): () => void;
  /** Called once each when the client leaves or the stream is reset before the answer was complete. */
  onClose(listener: () => void): void;
  /** Called once when the server goes away: an answer without an end of its own is to be ended. */
  onDraining(listener: () => void): void;
}

/** What a route, or the router itself, does with a request. Called from the read callback: must not block or throw. */
export type ExchangeHandler = (exchange: Exchange) => void;
