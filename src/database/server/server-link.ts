// The bytes of one session with a PostgreSQL server, over its authenticated socket. How the socket got there is in open-link.ts.
import type { Duplex } from 'node:stream';
import type { LinkReceiver, SessionLink } from '../session-link.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { writeTerminate } from '../../protocol/postgres/frontend-messages.ts';
import type { ServerHost } from './connection-string.ts';
import type { TlsAttempt } from './tls-attempts.ts';

/** Gathered before it is written. More than most exchanges have, so that few need a buffer of their own. */
const CHUNK_BYTES = 64 * 1024;

/** Written at once when this much is gathered, so that the server begins while more is made. */
const FLUSH_BYTES = 8 * 1024;

/** How to reach the same backend from the outside: BackendKeyData, and where. */
export interface BackendIdentity {
  readonly processId: number;
  readonly secretKey: number;
  readonly host: ServerHost;
  readonly tls: TlsAttempt;
}

export class ServerLink implements SessionLink {
  readonly guardsEpoch = false;
  readonly resetsSession = false;
  readonly sharesBackends: boolean;
  readonly backend: BackendIdentity;
  readonly #socket: Duplex;
  #receiver: LinkReceiver | null = null;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #scheduled = false;
  #reason = 'the server closed the connection';
  #timedOut = false;
  #over = false;
  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#write();
  };

  /** Takes the socket over; nothing of it has been read yet. */
  constructor(socket: Duplex, backend: BackendIdentity, sharesBackends = false) {
    this.sharesBackends = sharesBackends;
    this.#socket = socket;
    this.backend = backend;
    socket.on('data', (bytes: Buffer) => this.#receiver?.receive(bytes));
    socket.on('error', (error: Error) => {
      if (!this.#over) this.#reason = error.message;
    });
    socket.on('close', () => this.#finish());
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  /**
   * Exchanges of one turn of the event loop go in one write: a system call, and a wake-up of the backend, costs more
   * than most exchanges.
   */
  send(bytes: Buffer): void {
    if (this.#over) return;
    if (bytes.length > CHUNK_BYTES / 2) {
      this.#write();
      this.#socket.write(Buffer.from(bytes));
      return;
    }
    if (this.#end + bytes.length > CHUNK_BYTES) {
      this.#write();
      // What is on its way to the socket stays where it is, so a new one.
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    bytes.copy(this.#chunk, this.#end);
    this.#end += bytes.length;
    if (this.#end - this.#start >= FLUSH_BYTES) {
      this.#write();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#flush);
    }
  }

  flush(): void {
    this.#write();
  }

  /** Ends the session in good order, behind everything that was sent. */
  end(): void {
    if (this.#over) return;
    this.#reason = 'the session was closed';
    const writer = new MessageWriter();
    writeTerminate(writer);
    this.send(writer.take());
    this.#write();
    this.#socket.end();
  }

  close(reason: string): void {
    if (this.#over) return;
    this.#reason = reason;
    this.#over = true;
    this.#socket.destroy();
  }

  /** Gives the session up because what runs in it takes too long. */
  closeOverrun(reason: string): void {
    this.#timedOut = true;
    this.close(reason);
  }

  #write(): void {
    if (this.#start === this.#end) return;
    this.#socket.write(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #finish(): void {
    this.#over = true;
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.lost({ reason: this.#reason, unstarted: 0, timedOut: this.#timedOut });
  }
}
