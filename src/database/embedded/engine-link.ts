// The main thread's end of one engine thread: a SessionLink over shared memory. Lives as long as its thread; who starts
// another one after it is the embedded database.
import { Worker } from 'node:worker_threads';
import type { ExchangeOptions, LinkReceiver, SessionLink } from '../session-link.ts';
import type { EngineChannel, EngineThreadData, EngineThreadMessage } from './engine-channel.ts';
import {
  allocateChannel,
  KEEP_OBJECTS,
  MAIN_TOLD,
  MAIN_WANTS_ROOM,
  UNIT_CONTINUES,
  UNIT_ENDS,
  UNIT_RESETS,
  UnitHeaderCodec,
  UNITS_FINISHED,
  UNITS_STARTED,
  WAITS_INSIDE,
} from './engine-channel.ts';
import { RingReader, RingWriter } from './shared-ring.ts';

/** How much is taken out of the ring at once: what a socket's read gives, too. */
const READ_BYTES = 64 * 1024;

/**
 * PostgreSQL measures its own stack (`max_stack_depth`, 2 MB), which is in the memory of WebAssembly. The frames of its functions are here,
 * take up to 30 times as much before V8 has optimised them, and with Node's 4 MB would come to their end first, and the engine with them.
 * What is not used of it is no memory. What has no frames in the memory of WebAssembly is given some (measured-module.ts).
 */
const STACK_MB = 64;

/** The sources run as they are and as built files. */
const THREAD_URL = new URL(
  import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js',
  import.meta.url,
);

export interface EngineStarted {
  readonly version: string;
  /** Whether the cluster was made by this start. */
  readonly initialised: boolean;
}

export class EngineLink implements SessionLink {
  readonly guardsEpoch = true;
  readonly resetsSession = true;
  /** Settles when PostgreSQL takes units, or could not be started. */
  readonly started: Promise<EngineStarted>;
  /** Settles when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #channel: EngineChannel = allocateChannel();
  readonly #counters = new Int32Array(this.#channel.counters);
  readonly #epoch = new Float64Array(this.#channel.epoch);
  readonly #output = new RingReader(this.#channel.fromEngine);
  readonly #input = new RingWriter(this.#channel.toEngine);
  readonly #header = new UnitHeaderCodec();
  readonly #scratch = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #worker: Worker;
  #receiver: LinkReceiver | null = null;
  /** What did not fit into the ring, oldest first. */
  #pending: Uint8Array[] = [];
  #unitsSent = 0;
  #lossReason: string | null = null;
  #timedOut = false;
  #over = false;
  #paused = false;
  #whenFlushed: (() => void) | null = null;

  constructor(options: Omit<EngineThreadData, 'channel'>) {
    const data: EngineThreadData = { ...options, channel: this.#channel };
    this.#worker = new Worker(THREAD_URL, {
      workerData: data,
      name: 'howdah-postgres',
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    this.started = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: EngineThreadMessage) => {
        if (message.kind === 'ready') resolve(message);
        else this.#hear(message);
      });
      this.#worker.on('error', (error) => {
        this.#lossReason ??= error instanceof Error ? error.message : String(error);
      });
      this.#worker.on('exit', () => reject(new Error(this.#lossReason ?? 'the thread ended')));
    });
    this.started.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#finish();
        resolve();
      });
    });
  }

  /** Whether the thread has ended everything that was sent. */
  get idle(): boolean {
    return this.progress.finished === this.#unitsSent;
  }

  /** Units begun and ended since the start, modulo 2^32. */
  get progress(): { started: number; finished: number } {
    return {
      started: Atomics.load(this.#counters, UNITS_STARTED),
      finished: Atomics.load(this.#counters, UNITS_FINISHED),
    };
  }

  /** Whether a unit waits for more bytes of the client. */
  get waitsInside(): boolean {
    return Atomics.load(this.#counters, WAITS_INSIDE) === 1;
  }

  get epoch(): number {
    return this.#epoch[0] ?? 0;
  }

  /** From here on, exchanges of an older epoch are refused. */
  set epoch(epoch: number) {
    if (epoch > this.epoch) this.#epoch[0] = epoch;
  }

  set keepsObjects(keeps: boolean) {
    Atomics.store(this.#counters, KEEP_OBJECTS, keeps ? 1 : 0);
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  send(bytes: Buffer, options: ExchangeOptions): void {
    const flags = (options.resetAfter ? UNIT_RESETS : 0) | (options.keepsTransaction ? UNIT_CONTINUES : 0);
    this.#sendUnit(bytes, flags, options.epoch);
  }

  /** Whether something waits for room in the ring. */
  get backlogged(): boolean {
    return this.#pending.length > 0;
  }

  /** Calls `flushed` once, when nothing waits for room in the ring any more: at once where nothing does. */
  whenFlushed(flushed: () => void): void {
    if (this.#pending.length === 0) flushed();
    else this.#whenFlushed = flushed;
  }

  /** Takes nothing out of the ring until `resume`; when it is full, PostgreSQL waits. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#drain();
  }

  /** Sends bytes of a conversation that may leave a transaction open; for a borrower of the session. */
  sendPart(bytes: Buffer): void {
    this.#sendUnit(bytes, UNIT_CONTINUES, null);
  }

  /** Ends PostgreSQL in good order, behind everything that was sent. */
  end(): void {
    this.#sendUnit(Buffer.alloc(0), UNIT_ENDS, null);
  }

  close(reason: string): void {
    this.#lossReason ??= reason;
    void this.#worker.terminate();
  }

  /** Ends the thread because what runs in it takes too long; nothing else stops PostgreSQL inside WebAssembly. */
  closeOverrun(reason: string): void {
    this.#timedOut = true;
    this.close(reason);
  }

  #sendUnit(bytes: Buffer, flags: number, epoch: number | null): void {
    this.#unitsSent = (this.#unitsSent + 1) | 0;
    this.#write(this.#header.encode(bytes.length, flags, epoch));
    if (bytes.length > 0) this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    let written = 0;
    if (this.#pending.length === 0) {
      written = this.#input.write(bytes);
      if (written === bytes.length) return;
    }
    this.#pending.push(Uint8Array.prototype.slice.call(bytes, written));
    this.#flush();
  }

  #flush(): void {
    for (;;) {
      const next = this.#pending[0];
      if (next === undefined) {
        const flushed = this.#whenFlushed;
        this.#whenFlushed = null;
        flushed?.();
        return;
      }
      const written = this.#input.write(next);
      if (written === next.length) {
        this.#pending.shift();
        continue;
      }
      if (written > 0) this.#pending[0] = next.subarray(written);
      // Asked for before the last look, so that room made in between is not missed.
      if (Atomics.exchange(this.#counters, MAIN_WANTS_ROOM, 1) === 1 && written === 0) return;
    }
  }

  #hear(message: EngineThreadMessage): void {
    switch (message.kind) {
      case 'bytes':
        Atomics.store(this.#counters, MAIN_TOLD, 0);
        this.#drain();
        return;
      case 'room':
        this.#flush();
        return;
      case 'dead':
        this.#lossReason ??= message.reason;
        // PostgreSQL that could not be started leaves something behind that keeps the thread's loop alive.
        void this.#worker.terminate();
        return;
      case 'ended':
        this.#lossReason ??= 'the engine was closed';
        return;
      case 'ready':
    }
  }

  #drain(): void {
    while (!this.#paused) {
      const count = this.#output.read(this.#scratch, 0, READ_BYTES);
      if (count === 0) return;
      this.#receiver?.receive(this.#scratch.subarray(0, count));
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#paused = false;
    // Answers that the thread gave before it ended are whole in the ring.
    this.#drain();
    this.#over = true;
    this.#receiver?.lost({
      reason: this.#lossReason ?? 'the thread of the embedded PostgreSQL ended',
      unstarted: (this.#unitsSent - Atomics.load(this.#counters, UNITS_STARTED)) >>> 0,
      timedOut: this.#timedOut,
    });
  }
}
