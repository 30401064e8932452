// Whether a client still takes what is sent to it: looked at now and then, not timed write by write.
//
// A write is over when all of it was taken, and a large answer is one write. How much of that has left is known to the handle below the
// socket, where Node's own timeouts look, too; below TLS, to the one that carries it.
import type { Socket } from 'node:net';

interface WriteHandle {
  readonly writeQueueSize?: unknown;
  readonly _parent?: unknown;
}

function isHandle(handle: unknown): handle is WriteHandle {
  return typeof handle === 'object' && handle !== null;
}

/** Bytes of the writes under way that have not left this process; 0 where this Node does not tell. */
export function queuedBytes(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: unknown };
  if (!isHandle(handle)) return 0;
  const { writeQueueSize } = isHandle(handle._parent) ? handle._parent : handle;
  return typeof writeQueueSize === 'number' ? writeQueueSize : 0;
}

export class SendProgress {
  #sentBytes = 0;
  #queuedBytes = 0;
  #sinceMs = 0;

  /** Whether output has waited for the client since `timeoutMs` without a byte of it being taken. */
  stalled(socket: Socket, nowMs: number, timeoutMs: number): boolean {
    // bytesWritten counts what waits as well.
    const sent = socket.bytesWritten - socket.writableLength;
    const queued = queuedBytes(socket);
    if (sent !== this.#sentBytes || queued !== this.#queuedBytes || this.#sinceMs === 0) {
      this.#sentBytes = sent;
      this.#queuedBytes = queued;
      this.#sinceMs = nowMs;
      return false;
    }
    return nowMs - this.#sinceMs > timeoutMs;
  }

  /** Since when nothing was taken of what waits; 0: nothing waits. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Nothing waits. */
  reset(): void {
    this.#sinceMs = 0;
  }
}
