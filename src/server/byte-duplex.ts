// What a protocol that takes over from HTTP stands on: bytes both ways, over a socket (HTTP/1.1) or over one stream of an
// HTTP/2 connection (RFC 8441 §5). Interfaces only; socket-duplex.ts and http2-tunnel.ts are the two kinds.
import type { ByteWriter } from '../protocol/http/byte-writer.ts';
import type { Observer } from '../observe/observation.ts';

export interface ByteDuplex {
  readonly observer: Observer;
  /** Address of the client without port; empty for a UNIX socket. */
  readonly peerAddress: string;
  /** The server's coarse time. */
  readonly nowMs: number;
  /** How long bytes of the client are read and ignored after our side has ended. */
  readonly lingerTimeoutMs: number;
  /** What is written here leaves at the next flush, and at the end of each `receive` without one. */
  readonly writer: ByteWriter;
  /** Flushes when what runs now has ended. */
  flushSoon(): void;
  /** False while what was sent waits for the client; `receiveDrain` follows. */
  readonly writable: boolean;
  /** Bytes written that wait in this process. */
  readonly unsentBytes: number;
  /** When the client was last seen to take something of what waited for it; 0: nothing has waited yet. One that takes nothing is ended. */
  readonly takenMs: number;
  /** Reads no more until `resume`; a `receive` that is under way is the receiver's to stop. */
  pause(): void;
  resume(): void;
  /** Ends our side once everything is sent. What the client still sends is received, until `receiveDisconnect`. */
  end(): void;
  /** Ends both sides at once. `receiveDisconnect` follows, perhaps before this returns. */
  destroy(): void;
}

/** Called by the bytes' owner; none is called after `receiveDisconnect`. */
export interface ByteReceiver {
  /** The chunk may be written over; it is valid during the call. */
  receive(chunk: Buffer): void;
  /** The client has taken what was waiting for it. */
  receiveDrain(): void;
  /** The client sends no more. */
  receiveEof(): void;
  /** Both sides are over. */
  receiveDisconnect(): void;
  /** See ServerClock. */
  checkDeadlines(nowMs: number): void;
  /** The server goes away: to be ended in good order. */
  drain(): void;
}

/** Called once, when the head that agrees to the switch has been written. */
export type TakeOver = (bytes: ByteDuplex) => ByteReceiver;
