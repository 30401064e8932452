// What a connection tells its driver. Types only.
import type { FieldLines } from '../http/field-lines.ts';
import type { Http2Fault } from './fault.ts';
import type { HeadRefusal, Http2RequestHead } from './head-builder.ts';
import type { Http2Stream } from './stream.ts';

/**
 * Called synchronously from `receive`, `takeOutput` and `tick`, which they must not call themselves; every send method
 * may be called. Nothing is told of a stream after receiveReset.
 */
export interface Http2Events {
  /** A request. Where `head.hasBody` is false it is complete, and receiveEnd is not called. */
  receiveHead(stream: Http2Stream, head: Http2RequestHead): void;
  /** A request too large to be served: to be answered with the status, then reset; nothing of it follows. */
  receiveRefusedHead(stream: Http2Stream, refusal: HeadRefusal): void;
  /** A view that is valid during the call; never empty. To be given back with `releaseData` when it has been read. */
  receiveData(stream: Http2Stream, data: Buffer): void;
  /** The request is complete. Forbidden trailers have been dropped. */
  receiveEnd(stream: Http2Stream, trailers: FieldLines): void;
  /** The stream is gone. `fault` says why where it was not the peer that reset it; `code` is any 32-bit number. */
  receiveReset(stream: Http2Stream, code: number, fault: Http2Fault | null): void;
  /** `sendData` said false, and now there is room again. */
  receiveDrain(stream: Http2Stream): void;
  /** The peer will open no more streams. `debug` is latin1 text of the peer's, cut off at 256 octets. */
  receiveGoaway(lastStreamId: number, code: number, debug: string): void;
  /** Answer to `sendPing`. */
  receivePong(number: number): void;
  /** Terminal: nothing is received after it. GOAWAY is in the output; once that is written, close. */
  receiveFault(fault: Http2Fault): void;
}
