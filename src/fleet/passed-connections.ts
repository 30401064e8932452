// The connections that one worker has accepted for another, on their way through the master: who gets each, what becomes of one that
// is not taken, and of those that nobody can take just now. Reads nothing from them.
import type { SocketHandle } from '../transport/socket-handle.ts';
import type { WorkerChild } from './worker-child.ts';

export interface PassedConnection {
  /** Who has accepted it. */
  readonly from: WorkerChild;
  /** Of its listener. */
  readonly key: number;
  /** The number of the worker that is to serve it. */
  readonly to: number;
  readonly handle: SocketHandle;
}

/** While all workers are dead, this many wait for new ones, as others do in the kernel's queue; that is as long (transport/listener.ts). */
const MAX_WAITING = 1024;

export class PassedConnections {
  readonly #running: () => readonly WorkerChild[];
  #waiting: PassedConnection[] = [];

  /** `running`: all workers, those that start or drain included. */
  constructor(running: () => readonly WorkerChild[]) {
    this.#running = running;
  }

  /** The worker that it is meant for gets it, or any other that serves, or whoever is left. */
  pass(connection: PassedConnection): void {
    this.#offer(connection, new Set());
  }

  /** There is a worker that was not there before. */
  offerWaiting(): void {
    for (const connection of this.#waiting.splice(0)) this.pass(connection);
  }

  /** No worker comes any more. */
  close(): void {
    for (const { handle } of this.#waiting.splice(0)) handle.close();
  }

  #offer(connection: PassedConnection, refused: Set<WorkerChild>): void {
    const { from, key, handle } = connection;
    const target = choose(this.#running(), connection, refused);
    if (target !== null) {
      target.give(key, from.number, handle, () => this.#offer(connection, refused.add(target)));
    } else if (this.#running().some(serves) || this.#waiting.length >= MAX_WAITING) {
      // Those that serve do not know its listener: it is not served any more.
      handle.close();
    } else {
      this.#waiting.push(connection);
    }
  }
}

const serves = ({ state }: WorkerChild): boolean => state === 'serving';

/** One that drains takes a connection as long as it has others. */
function choose(
  running: readonly WorkerChild[],
  { from, to }: PassedConnection,
  refused: ReadonlySet<WorkerChild>,
): WorkerChild | null {
  const left = running.filter((worker) => worker.state !== 'starting' && !refused.has(worker));
  const serving = left.filter(serves);
  return (
    serving.find(({ number }) => number === to) ??
    serving.find((worker) => worker !== from) ??
    serving[0] ??
    left[0] ??
    null
  );
}
