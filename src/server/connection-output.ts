// What a connection writes into, and when that leaves: once at the end of a read or of whatever else made it write, so
// that the responses of one turn share a write.
import type { Socket } from 'node:net';
import { ByteWriter } from '../protocol/http/byte-writer.ts';

/** One microtask for all: a message may go to a thousand connections. */
let waiting: ConnectionOutput[] = [];

function flushWaiting(): void {
  const outputs = waiting;
  waiting = [];
  for (const output of outputs) output.flushNow();
}

export class ConnectionOutput {
  /** What is written here leaves at the next `flush`. */
  readonly writer = new ByteWriter();
  readonly #socket: Socket;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Hands what was written to the socket. */
  flush(): void {
    const { writer } = this;
    if (writer.length === 0) return;
    const socket = this.#socket;
    const piece = writer.takePiece();
    if (piece !== null) {
      if (socket.writable) socket.write(piece);
      return;
    }
    const pieces = writer.takeAll();
    if (!socket.writable) return;
    socket.cork();
    for (const each of pieces) socket.write(each);
    socket.uncork();
  }

  /** Flushes when what runs now has ended, so that what else it writes leaves in the same write. */
  flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (waiting.push(this) === 1) queueMicrotask(flushWaiting);
  }

  /** For the microtask that flushSoon has made. */
  flushNow(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Whether the client keeps up; where it does not, the socket says `drain` when it does again. */
  hasRoom(maxUnsentBytes: number): boolean {
    if (this.writer.length >= maxUnsentBytes) this.flush();
    return !this.#socket.writableNeedDrain;
  }
}
