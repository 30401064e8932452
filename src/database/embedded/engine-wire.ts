// The engine thread's end of the rings: gives PostgreSQL the bytes of one unit, takes its answer, watches it go by. Decides
// nothing about units.
import type { MessageSink } from '../../protocol/postgres/message-splitter.ts';
import type { EngineChannel, EngineThreadMessage, UnitHeader } from './engine-channel.ts';
import type { PostgresWire } from './postgres-module.ts';
import {
  MAIN_TOLD,
  MAIN_WANTS_ROOM,
  UNIT_CONTINUES,
  UNIT_HEADER_BYTES,
  UNITS_FINISHED,
  UNITS_STARTED,
  UnitHeaderCodec,
  WAITS_INSIDE,
} from './engine-channel.ts';
import { MessageSplitter, MAX_MESSAGE_BYTES } from '../../protocol/postgres/message-splitter.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { writeCopyFail } from '../../protocol/postgres/frontend-messages.ts';
import { BACKEND } from '../../protocol/postgres/message-types.ts';
import { RingReader, RingWriter } from './shared-ring.ts';

/** All that the engine itself reads of an answer. */
const WATCHED = new Set<number>([BACKEND.notificationResponse, BACKEND.readyForQuery, BACKEND.errorResponse]);

const NO_BYTES: Buffer = Buffer.alloc(0);

export class EngineWire implements PostgresWire {
  readonly counters: Int32Array;
  readonly #input: RingReader;
  readonly #output: RingWriter;
  readonly #post: (message: EngineThreadMessage) => void;
  readonly #watcher: MessageSplitter;
  readonly #codec = new UnitHeaderCodec();
  readonly #header: UnitHeader = { length: 0, flags: 0, epoch: 0 };
  readonly #copyFail: Buffer;
  /** Bytes of the unit that are still in the ring. */
  #inRing = 0;
  /** Bytes of a unit that the engine gives itself. */
  #own: Buffer = NO_BYTES;
  #mayContinue = false;
  #swallows = false;

  constructor(channel: EngineChannel, watcher: MessageSink, post: (message: EngineThreadMessage) => void) {
    this.counters = new Int32Array(channel.counters);
    this.#input = new RingReader(channel.toEngine);
    this.#output = new RingWriter(channel.fromEngine);
    this.#watcher = new MessageSplitter(watcher, MAX_MESSAGE_BYTES, (type) => !WATCHED.has(type));
    this.#post = post;
    const writer = new MessageWriter(64);
    writeCopyFail(writer, 'COPY FROM STDIN is possible through a SQL client only');
    this.#copyFail = Buffer.from(writer.take());
  }

  get remaining(): number {
    return this.#inRing + this.#own.length;
  }

  /** Waits for the next unit; its bytes are what `read` gives from now on. */
  nextUnit(): Readonly<UnitHeader> {
    const codec = this.#codec;
    let filled = 0;
    while (filled < UNIT_HEADER_BYTES) {
      this.#input.waitForBytes();
      filled += this.#input.read(codec.bytes, filled, UNIT_HEADER_BYTES - filled);
    }
    codec.decode(this.#header);
    this.#inRing = this.#header.length;
    this.#mayContinue = (this.#header.flags & UNIT_CONTINUES) !== 0;
    Atomics.add(this.counters, UNITS_STARTED, 1);
    return this.#header;
  }

  finishUnit(): void {
    Atomics.add(this.counters, UNITS_FINISHED, 1);
  }

  /** Throws the unit's bytes away. */
  skipUnit(): void {
    const scratch = new Uint8Array(Math.min(this.#inRing, 64 * 1024));
    while (this.#inRing > 0) this.#fromRing(scratch, 0, scratch.length);
  }

  /** Makes `bytes` what PostgreSQL reads next, and keeps the answer from the main thread until `endOwn`. */
  beginOwn(bytes: Buffer): void {
    this.#own = bytes;
    this.#mayContinue = false;
    this.#swallows = true;
  }

  endOwn(): void {
    this.#swallows = false;
  }

  read(memory: Uint8Array, pointer: number, length: number): number {
    if (this.remaining === 0) {
      if (this.#mayContinue) this.#waitInside();
      // Only COPY FROM STDIN reads beyond its message, and here nobody has data for it. An end of input would make
      // PostgreSQL exit.
      else this.#own = this.#copyFail;
    }
    if (this.#own.length > 0) {
      const taken = Math.min(length, this.#own.length);
      memory.set(this.#own.subarray(0, taken), pointer);
      this.#own = this.#own.subarray(taken);
      return taken;
    }
    return this.#fromRing(memory, pointer, length);
  }

  write(memory: Uint8Array, pointer: number, length: number): void {
    const bytes = memory.subarray(pointer, pointer + length);
    this.#watcher.receive(Buffer.from(bytes.buffer, bytes.byteOffset, length));
    if (!this.#swallows) this.send(bytes);
  }

  /** Sends bytes to the main thread, and waits while the ring is full. */
  send(bytes: Uint8Array): void {
    let sent = this.#output.write(bytes);
    this.#tellMain();
    while (sent < bytes.length) {
      this.#output.waitForRoom();
      sent += this.#output.write(bytes, sent);
      this.#tellMain();
    }
  }

  /** In the middle of a message's work: the client has more to send. */
  #waitInside(): void {
    Atomics.store(this.counters, WAITS_INSIDE, 1);
    do {
      this.nextUnit();
      this.finishUnit();
    } while (this.#inRing === 0);
    Atomics.store(this.counters, WAITS_INSIDE, 0);
  }

  #fromRing(memory: Uint8Array, pointer: number, length: number): number {
    this.#input.waitForBytes();
    const taken = this.#input.read(memory, pointer, Math.min(length, this.#inRing));
    this.#inRing -= taken;
    if (Atomics.load(this.counters, MAIN_WANTS_ROOM) === 1) {
      Atomics.store(this.counters, MAIN_WANTS_ROOM, 0);
      this.#post({ kind: 'room' });
    }
    return taken;
  }

  #tellMain(): void {
    if (Atomics.exchange(this.counters, MAIN_TOLD, 1) === 0) this.#post({ kind: 'bytes' });
  }
}
