// The WebSockets that this process holds and SQL serves, by their identifiers; and what other sessions send to them: takes it
// from howdah.websocket_outbox, in order. One for each process. Knows nothing of handshakes and callbacks (sql-websocket.ts).
//
//   registered:  no ──(first socket)──► asked ──► yes ──(no socket left)──► leaving ──► no
import { randomBytes } from 'node:crypto';
import type { CallResult, SqlDispatcher } from '../database/call.ts';
import type { Observer } from '../observe/observation.ts';
import { observedCalls, type ObservedCall } from './observed-call.ts';
import {
  COUNT_UNDELIVERED,
  KEEP_NODE,
  LEAVE_NODE,
  readMessages,
  TAKE,
  uuidText,
  VACUUM,
} from './websocket-calls.ts';

/** Notified of each message, with the node as payload. */
export const WEBSOCKET_CHANNEL = 'howdah_websocket';

/** A node that was not heard of for a minute counts as gone: six times are missed before. */
const KEEP_EVERY_MS = 10_000;
/** What is taken at once: little enough to be held in memory by each process. One message may go beyond. */
const TAKE_MESSAGES = 500;
const TAKE_BYTES = 4_194_304;
/** Deleted rows between two vacuums: a few MB of small messages. The embedded engine has nobody else who does it. */
const VACUUM_EVERY = 20_000;
/** The same while messages are being taken. */
const VACUUM_EVERY_WHILE_BUSY = 100_000;
const NODE_DIGITS = 12;
const NO_MESSAGES = Buffer.alloc(0);

/** A socket as the hub knows it, from the handshake until its last callback is over. */
export interface HubSocket {
  readonly id: string;
  /** False: it is gone, or does not keep up. The payload is valid during the call. */
  deliver(payload: Buffer, isText: boolean): boolean;
}

export class WebSocketHub {
  readonly #call: ObservedCall;
  /** First digits of all identifiers made here; so the sender knows whom to wake. */
  readonly #nodeDigits = randomBytes(NODE_DIGITS / 2).toString('hex');
  readonly #node = uuidText(this.#nodeDigits).slice(0, NODE_DIGITS + 1);
  readonly #sockets = new Map<string, HubSocket>();
  #registered: 'no' | 'asked' | 'yes' | 'leaving' = 'no';
  #waiting: ((registered: boolean) => void)[] = [];
  #keptMs = 0;
  #taking = false;
  #takeAgain = false;
  #sinceVacuum = 0;
  #whenEmpty: (() => void) | null = null;

  constructor(dispatcher: SqlDispatcher, observer: Observer) {
    this.#call = observedCalls(dispatcher, observer, 'WebSocket outbox');
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** A new identifier: version 8 (RFC 9562 §5.8), 48 bits of the process and 74 random ones. */
  newId(): string {
    const random = randomBytes(10);
    random[0] = ((random[0] ?? 0) & 0x0f) | 0x80;
    random[2] = ((random[2] ?? 0) & 0x3f) | 0x80;
    return uuidText(this.#nodeDigits + random.toString('hex'));
  }

  /** Messages for the socket are taken from now on; `done` says whether senders know of this process. */
  add(socket: HubSocket, done: (registered: boolean) => void): void {
    this.#sockets.set(socket.id, socket);
    if (this.#registered === 'yes') {
      done(true);
      return;
    }
    this.#waiting.push(done);
    if (this.#registered === 'no') this.#keep();
  }

  remove(socket: HubSocket): void {
    this.#sockets.delete(socket.id);
    if (this.#sockets.size === 0) this.#whenEmpty?.();
  }

  /** A notification of WEBSOCKET_CHANNEL. */
  wake(node: string): void {
    if (node === this.#node) this.#take();
  }

  /** To be called about once a second: says that we are there, and takes what no notification told of. */
  poll(nowMs: number): void {
    if (this.#sockets.size === 0) {
      if (this.#registered === 'yes') this.#leave();
      return;
    }
    if (this.#registered === 'no' || (this.#registered === 'yes' && nowMs - this.#keptMs > KEEP_EVERY_MS)) {
      this.#keptMs = nowMs;
      this.#keep();
    }
    // In between two bursts the whole table can be given back.
    const vacuumAt = this.#taking ? VACUUM_EVERY_WHILE_BUSY : VACUUM_EVERY;
    this.#take();
    if (this.#sinceVacuum >= vacuumAt) {
      this.#sinceVacuum = 0;
      this.#call(VACUUM, [], () => {});
    }
  }

  /** Resolves when no socket is left, and senders have been told. Sockets are closed by the server. */
  async close(): Promise<void> {
    if (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    if (this.#registered === 'yes') await new Promise<void>((resolve) => this.#leave(resolve));
  }

  #keep(): void {
    if (this.#registered === 'no') this.#registered = 'asked';
    this.#call(KEEP_NODE, [this.#node], (result) => {
      const done = succeeded(result);
      this.#registered = done ? 'yes' : 'no';
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const tell of waiting) tell(done);
    });
  }

  #leave(left?: () => void): void {
    this.#registered = 'leaving';
    this.#call(LEAVE_NODE, [this.#node], () => {
      this.#registered = 'no';
      left?.();
      if (this.#waiting.length > 0) this.#keep();
    });
  }

  #take(): void {
    if (this.#taking) {
      this.#takeAgain = true;
      return;
    }
    this.#taking = true;
    this.#takeAgain = false;
    this.#call(TAKE, [this.#node, String(TAKE_MESSAGES), String(TAKE_BYTES)], (result) => {
      this.#taking = false;
      const bytes = result.kind === 'row' ? (result.columns[0] ?? NO_MESSAGES) : NO_MESSAGES;
      // What cannot be taken now is taken with the next notification or poll; and a database that was away may have
      // forgotten us.
      if (result.kind !== 'row') this.#keptMs = 0;
      const taken = this.#deliver(bytes);
      if (this.#takeAgain || taken >= TAKE_MESSAGES || bytes.length >= TAKE_BYTES) this.#take();
    });
  }

  #deliver(bytes: Buffer): number {
    let taken = 0;
    let undelivered = 0;
    for (const { socket, isText, payload } of readMessages(bytes)) {
      taken += 1;
      if (this.#sockets.get(socket)?.deliver(payload, isText) !== true) undelivered += 1;
    }
    this.#sinceVacuum += taken;
    if (undelivered > 0) this.#call(COUNT_UNDELIVERED, [String(undelivered)], () => {});
    return taken;
  }
}

function succeeded({ kind }: CallResult): boolean {
  return kind === 'row' || kind === 'no-row';
}
