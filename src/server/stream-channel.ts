// What a connection driver gives each of its streams: the small interface that lets one interpreter of commands serve
// every HTTP version.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { TakeOver } from './byte-duplex.ts';

/** A field of a response that must not go on the wire (RFC 9110 §5.1, §5.5). */
export interface BadField {
  readonly name: string;
  readonly reason: string;
}

export interface StreamChannel {
  /** False while what was sent waits for the client; the driver then calls `Stream.receiveDrain` when it is gone. */
  readonly writable: boolean;
  sendInform(status: number, fields: FieldLines): BadField | null;
  /** A whole response. Where a BadField is returned, nothing was sent. */
  sendResponse(status: number, fields: FieldLines, body: Buffer | string | null): BadField | null;
  /** The head of a streamed response; `contentLength` is null where it is not known. */
  sendHead(status: number, fields: FieldLines, contentLength: number | null): BadField | null;
  sendData(data: Buffer): void;
  sendEnd(trailers: FieldLines): void;
  /**
   * Answers that the bytes are another protocol's from here on, and hands them over before it returns. Returns the status
   * sent, or what is wrong with a field; a request that did not ask for it is a BadField too.
   */
  switchProtocol(protocol: string, fields: FieldLines, takeOver: TakeOver): BadField | number;
  /** Promises the answer to a GET of `path` and has it made. False where the version or the client has no use for it. */
  push(path: string, fields: FieldLines): boolean;
  /** Ends the stream without (the rest of) an answer: closes the connection, or resets the stream. */
  sendReset(): void;
  /** Lets `bytes` more bytes of the request body come. */
  allowBody(bytes: number): void;
  setOptions(options: { idleTimeoutMs?: number; maxSkipBodyBytes?: number }): void;
  /** The stream is over: its answer is complete, or it was reset. */
  finish(): void;
}
