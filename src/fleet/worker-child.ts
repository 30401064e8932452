// A worker process as the master sees it: starts it, sends it what it needs, notices that it ended or hangs. Does not decide what
// is done about that (supervisor.ts).
//
//   starting ──ready──► serving ──drain──► draining ──► ended;  any state: ended
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SocketHandle } from '../transport/socket-handle.ts';
import type {
  CertificateTexts,
  MasterMessage,
  SharedListener,
  WorkerMessage,
  WorkerStart,
  WorkerStatus,
} from './worker-messages.ts';

const PROCESS_PATH = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker-process.ts' : './worker-process.js', import.meta.url),
);

/** How much longer than its deadline a worker may take to end: closing sessions, writing logs. */
const DRAIN_GRACE_MS = 2000;

/** For what an ended worker has sent to be read, where the end of its channel is not seen. */
const LAST_MESSAGES_MS = 1000;

export type WorkerState = 'starting' | 'serving' | 'draining' | 'ended';

export interface WorkerEnd {
  /** In words: `exit code 1`, `SIGKILL`. */
  readonly reason: string;
  /** Why it could not start, where it said so. */
  readonly failure: { readonly code: string | null; readonly message: string } | null;
  readonly wasDraining: boolean;
}

export interface WorkerChildEvents {
  /** It has accepted a connection that `to` is to serve. */
  handOver(from: WorkerChild, key: number, to: number, handle: SocketHandle): void;
}

interface Handed {
  readonly handle: SocketHandle;
  /** The worker has not taken the connection, and will not. */
  readonly failed: () => void;
}

export class WorkerChild {
  readonly number: number;
  readonly startedAt = new Date();
  readonly #child: ChildProcess;
  readonly #events: WorkerChildEvents;
  readonly #listening = new Map<number, (failure: NodeJS.ErrnoException | null) => void>();
  readonly #stopping = new Map<number, () => void>();
  readonly #handed = new Map<number, Handed>();
  #settling: (() => void)[] = [];
  #nextId = 1;
  #state: WorkerState = 'starting';
  #failure: WorkerEnd['failure'] = null;
  #status: WorkerStatus | null = null;
  #unanswered = 0;
  #killReason: string | null = null;
  #killTimer: NodeJS.Timeout | null = null;
  /** Resolves when it has loaded the catalog; false: it ended before. */
  readonly ready: Promise<boolean>;
  readonly ended: Promise<WorkerEnd>;
  #isReady: (ready: boolean) => void;

  constructor(start: WorkerStart, events: WorkerChildEvents) {
    this.number = start.number;
    this.#events = events;
    const { promise: ready, resolve: isReady } = Promise.withResolvers<boolean>();
    const { promise: ended, resolve: hasEnded } = Promise.withResolvers<WorkerEnd>();
    this.ready = ready;
    this.ended = ended;
    this.#isReady = isReady;
    this.#child = fork(PROCESS_PATH, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (message: WorkerMessage, handle) =>
      this.#receive(message, handle as unknown as SocketHandle | undefined),
    );
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      hasEnded(this.#end(reason));
    };
    this.#child.once('error', (error) => end(error.message));
    // Not `close`: that waits for what shares its output. What it has sent is read before: connections may be among it.
    this.#child.once('exit', (code, signal) => {
      const reason = signal ?? `exit code ${code}`;
      if (!this.#child.connected) return end(reason);
      this.#child.once('disconnect', () => end(reason));
      setTimeout(() => end(reason), LAST_MESSAGES_MS).unref();
    });
    this.#send({ kind: 'start', ...start });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** What it last told of itself. */
  get status(): WorkerStatus | null {
    return this.#status;
  }

  /** Pings that it has not answered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  ping(details: boolean): void {
    this.#unanswered += 1;
    this.#send({ kind: 'ping', details });
  }

  useCertificates(texts: CertificateTexts): void {
    this.#send({ kind: 'certificates', ...texts });
  }

  setSiblings(numbers: readonly number[]): void {
    this.#send({ kind: 'siblings', numbers });
  }

  setMaxSessions(maxSessions: number): void {
    this.#send({ kind: 'sessions', maxSessions });
  }

  /** Resolves when it accepts from the socket, or has ended. Rejects with the system's error where it cannot listen. */
  listen(listener: SharedListener, handle: SocketHandle): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'ended' || this.#state === 'draining') {
        resolve();
        return;
      }
      this.#listening.set(listener.key, (failure) => {
        if (failure === null) resolve();
        else reject(failure);
      });
      this.#send({ kind: 'listen', ...listener }, handle);
    });
  }

  /** Resolves when it accepts no more from the socket, or has ended. */
  stopListening(key: number, shared: boolean): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopping.set(key, resolve);
      this.#send({ kind: 'stop-listening', key, shared });
    });
  }

  /** Gives it a connection that `from` has accepted. `failed` is called where it does not take it; else it is closed here. */
  give(key: number, from: number, handle: SocketHandle, failed: () => void): void {
    if (this.#state === 'ended') {
      failed();
      return;
    }
    const id = this.#nextId++;
    this.#handed.set(id, { handle, failed });
    this.#send({ kind: 'connection', id, key, from }, handle);
  }

  /** Resolves when it has done all that it was told, and the connections that it handed over are known here, or it has ended. */
  settle(): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'ended') return Promise.resolve();
    return new Promise((resolve) => {
      this.#settling.push(resolve);
      this.#send({ kind: 'settle' });
    });
  }

  /** It finishes what runs and ends; what takes longer than the deadline is cut off. */
  drain(deadlineMs: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'draining';
    this.#send({ kind: 'drain', deadlineMs });
    this.#killTimer ??= setTimeout(() => this.kill('it did not end in time'), deadlineMs + DRAIN_GRACE_MS);
  }

  kill(reason: string): void {
    this.#killReason = reason;
    this.#child.kill('SIGKILL');
  }

  #send(message: MasterMessage, handle?: SocketHandle): void {
    // That it has ended is told by its exit.
    if (this.#child.connected) this.#child.send(message, handle as never, {}, () => undefined);
  }

  #receive(message: WorkerMessage, handle: SocketHandle | undefined): void {
    switch (message.kind) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'serving';
        this.#isReady(true);
        return;
      case 'start-failed':
        this.#failure = message;
        return;
      case 'listening': {
        const done = this.#listening.get(message.key);
        this.#listening.delete(message.key);
        done?.(
          message.failure === null
            ? null
            : Object.assign(new Error(message.failure.message), message.failure),
        );
        return;
      }
      case 'stopped-listening':
        this.#stopping.get(message.key)?.();
        this.#stopping.delete(message.key);
        return;
      case 'hand-over':
        if (handle !== undefined) this.#events.handOver(this, message.key, message.to, handle);
        return;
      case 'connection-taken': {
        const handed = this.#handed.get(message.id);
        this.#handed.delete(message.id);
        if (message.taken) handed?.handle.close();
        else handed?.failed();
        return;
      }
      case 'settled':
        this.#settling.shift()?.();
        return;
      case 'pong':
        this.#unanswered = 0;
        // The lists do not come with every one.
        this.#status = { ...this.#status, ...message.status };
    }
  }

  #end(reason: string): WorkerEnd {
    const wasDraining = this.#state === 'draining';
    this.#state = 'ended';
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    this.#isReady(false);
    for (const done of this.#listening.values()) done(null);
    this.#listening.clear();
    for (const stopped of this.#stopping.values()) stopped();
    this.#stopping.clear();
    for (const settled of this.#settling.splice(0)) settled();
    const handed = [...this.#handed.values()];
    this.#handed.clear();
    for (const { failed } of handed) failed();
    const detail = this.#killReason ?? this.#failure?.message;
    return {
      reason: detail === undefined ? reason : `${reason} (${detail})`,
      failure: this.#failure,
      wasDraining,
    };
  }
}
