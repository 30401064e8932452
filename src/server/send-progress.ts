// Whether a client still takes what is sent to it: looked at now and then, not timed write by write.
import type { Socket } from 'node:net';

export class SendProgress {
  #sentBytes = 0;
  #sinceMs = 0;

  /** Whether output has waited for the client since `timeoutMs` without a byte of it being taken. */
  stalled(socket: Socket, nowMs: number, timeoutMs: number): boolean {
    // bytesWritten counts what waits as well.
    const sent = socket.bytesWritten - socket.writableLength;
    if (sent !== this.#sentBytes || this.#sinceMs === 0) {
      this.#sentBytes = sent;
      this.#sinceMs = nowMs;
      return false;
    }
    return nowMs - this.#sinceMs > timeoutMs;
  }

  /** Nothing waits. */
  reset(): void {
    this.#sinceMs = 0;
  }
}
