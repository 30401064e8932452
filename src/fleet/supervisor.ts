// Keeps as many workers as there are to be: starts them, replaces those that end or hang, one after another where all are to be
// renewed. Does not know what they are told when they are ready.
import type { Observer } from '../observe/observation.ts';
import { SETTLE_MS, within } from './settling.ts';
import type { WorkerChild, WorkerEnd } from './worker-child.ts';

export interface SupervisorOptions {
  readonly observer: Observer;
  /** Starts a process for a slot. */
  readonly start: (slot: number) => WorkerChild;
  /** The worker is ready: it is to be told where to listen. Resolves when it serves. */
  readonly equip: (worker: WorkerChild) => Promise<void>;
  /** The set of workers is another. */
  readonly changed: () => void;
  readonly drainTimeoutMs: number;
  /** A worker that answers nothing for this long is replaced. */
  readonly hangTimeoutMs: number;
}

/** How often workers are asked whether they are alive, and how they are. */
export const PING_EVERY_MS = 1000;

/** A worker that has served for this long has started well; what ends it then is no crash loop. */
const STEADY_MS = 10_000;

/** The first restart is at once. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** A worker that is not ready by then never will be. */
const START_TIMEOUT_MS = 60_000;

/** Ends soon after the start, in a row, that are called a crash loop. */
const CRASH_LOOP_ENDS = 5;

interface Slot {
  readonly slot: number;
  worker: WorkerChild | null;
  restarts: number;
  /** Ends soon after the start, in a row. */
  earlyEnds: number;
  timer: NodeJS.Timeout | null;
}

/** Why workers could not be started. */
export class WorkerStartFailed extends Error {
  readonly end: WorkerEnd;

  constructor(end: WorkerEnd) {
    super(end.failure?.message ?? `a worker ended while it started: ${end.reason}`);
    this.end = end;
  }
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[] = [];
  /** Also those that drain. */
  readonly #running = new Set<WorkerChild>();
  #pingTimer: NodeJS.Timeout | null = null;
  #detailed = true;
  #renewing: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Those that serve, by slot. */
  get serving(): WorkerChild[] {
    return this.#slots.flatMap(({ worker }) => (worker?.state === 'serving' ? [worker] : []));
  }

  get slots(): readonly Readonly<Slot>[] {
    return this.#slots;
  }

  /** All processes, those included that drain. */
  get running(): readonly WorkerChild[] {
    return [...this.#running];
  }

  /** Starts `count` workers. @throws WorkerStartFailed where one cannot start; the others are ended */
  async start(count: number): Promise<void> {
    const ends = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const worker = this.#options.start(i + 1);
        this.#running.add(worker);
        const slot: Slot = { slot: i + 1, worker, restarts: 0, earlyEnds: 0, timer: null };
        this.#slots.push(slot);
        if (await worker.ready) return null;
        this.#running.delete(worker);
        return worker.ended;
      }),
    );
    const failed = ends.find((end) => end !== null);
    if (failed !== undefined) {
      this.kill('another worker could not start');
      throw new WorkerStartFailed(failed);
    }
    this.#slots.sort((a, b) => a.slot - b.slot);
    for (const slot of this.#slots) if (slot.worker !== null) this.#watch(slot, slot.worker);
    this.#options.changed();
    await Promise.all(this.serving.map((worker) => this.#equip(worker)));
    this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.#ping();
  }

  /** More or fewer workers. Those that are too many finish what they have. */
  setCount(count: number): void {
    if (this.#closing) return;
    for (let slot = this.#slots.length + 1; slot <= count; slot++) {
      const added: Slot = { slot, worker: null, restarts: 0, earlyEnds: 0, timer: null };
      this.#slots.push(added);
      void this.#fill(added);
    }
    for (const { worker, timer } of this.#slots.splice(count)) {
      if (timer !== null) clearTimeout(timer);
      worker?.drain(this.#options.drainTimeoutMs);
    }
    this.#options.changed();
  }

  /** Replaces all workers, one after another: each drains when the one in its place serves. */
  renew(): Promise<void> {
    this.#renewing = this.#renewing.then(async () => {
      for (const slot of this.#slots.slice()) {
        const old = slot.worker;
        if (this.#closing || old?.state !== 'serving') continue;
        const fresh = this.#options.start(slot.slot);
        this.#running.add(fresh);
        if (!(await fresh.ready)) {
          this.#running.delete(fresh);
          this.#observeEnd(slot, fresh, await fresh.ended, 0);
          return;
        }
        if (this.#closing || !this.#slots.includes(slot)) {
          this.#watch(slot, fresh);
          fresh.drain(0);
          return;
        }
        slot.worker = fresh;
        this.#watch(slot, fresh);
        this.#options.changed();
        await this.#equip(fresh);
        old.drain(this.#options.drainTimeoutMs);
        await old.ended;
      }
    });
    return this.#renewing;
  }

  /**
   * Resolves when the workers have done what they were told so far, and no connection is on its way between them: one that a
   * worker accepted just before it stopped is served by another. A worker that hangs is not waited for longer than this.
   */
  async settle(timeoutMs: number): Promise<void> {
    await within(Promise.all(this.running.map((worker) => worker.settle())), timeoutMs);
  }

  /** Ends all workers when they have finished, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#stop();
    await this.settle(Math.min(deadlineMs, SETTLE_MS));
    const workers = this.running;
    for (const worker of workers) {
      if (worker.state === 'starting') worker.kill('the server ends');
      else worker.drain(deadlineMs);
    }
    await Promise.all(workers.map(({ ended }) => ended));
  }

  /** Ends all workers at once. */
  kill(reason: string): void {
    this.#stop();
    for (const worker of this.#running) worker.kill(reason);
  }

  #stop(): void {
    this.#closing = true;
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
  }

  async #equip(worker: WorkerChild): Promise<void> {
    try {
      await this.#options.equip(worker);
    } catch (error) {
      this.#options.observer.observe({ kind: 'internal-error', where: 'start of a worker', error });
    }
  }

  /** Starts a worker in an empty slot. */
  async #fill(slot: Slot): Promise<void> {
    const startedMs = performance.now();
    const worker = this.#options.start(slot.slot);
    slot.worker = worker;
    this.#running.add(worker);
    this.#watch(slot, worker);
    if (!(await worker.ready) || this.#closing) return;
    this.#options.changed();
    await this.#equip(worker);
    const startMs = Math.round(performance.now() - startedMs);
    this.#options.observer.observe({ kind: 'worker-started', worker: slot.slot, pid: worker.pid, startMs });
  }

  #watch(slot: Slot, worker: WorkerChild): void {
    const sinceMs = performance.now();
    worker.ended
      .then((end) => {
        this.#running.delete(worker);
        if (slot.worker === worker) slot.worker = null;
        this.#options.changed();
        // One that drained by itself (SIGTERM from outside) is replaced as well.
        if (this.#closing || !this.#slots.includes(slot) || slot.worker !== null || slot.timer !== null)
          return;
        this.#replace(slot, worker, end, performance.now() - sinceMs);
      })
      .catch((error: unknown) => {
        this.#options.observer.observe({ kind: 'internal-error', where: 'supervision', error });
      });
  }

  #replace(slot: Slot, worker: WorkerChild, end: WorkerEnd, livedMs: number): void {
    slot.restarts += 1;
    slot.earlyEnds = livedMs >= STEADY_MS ? 0 : slot.earlyEnds + 1;
    const waitMs =
      slot.earlyEnds <= 1 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (slot.earlyEnds - 2));
    this.#observeEnd(slot, worker, end, waitMs);
    if (slot.earlyEnds === CRASH_LOOP_ENDS) {
      this.#options.observer.observe({
        kind: 'worker-crash-loop',
        worker: slot.slot,
        ends: slot.earlyEnds,
        reason: end.reason,
      });
    }
    slot.timer = setTimeout(() => {
      slot.timer = null;
      void this.#fill(slot);
    }, waitMs);
  }

  #observeEnd({ slot }: Slot, { pid }: WorkerChild, { reason }: WorkerEnd, restartMs: number): void {
    this.#options.observer.observe({ kind: 'worker-ended', worker: slot, pid, reason, restartMs });
  }

  #ping(): void {
    // The lists of connections and sessions are not for every second.
    this.#detailed = !this.#detailed;
    const { hangTimeoutMs, observer } = this.#options;
    for (const worker of this.#running) {
      if (worker.state === 'starting' && Date.now() - worker.startedAt.getTime() > START_TIMEOUT_MS) {
        worker.kill('it was not ready in time');
      }
    }
    for (const { slot, worker } of this.#slots) {
      if (worker?.state !== 'serving') continue;
      // Counted in pings: where this process was stopped for a while, no worker is to blame.
      const silentMs = worker.unanswered * PING_EVERY_MS;
      if (silentMs >= hangTimeoutMs) {
        observer.observe({ kind: 'worker-hung', worker: slot, pid: worker.pid, silentMs });
        worker.kill(`it did not answer for ${silentMs} ms`);
      } else {
        worker.ping(this.#detailed);
      }
    }
  }
}
