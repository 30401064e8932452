// Whose DATA goes next (RFC 9218 §10): lowest urgency first; within one urgency, streams that are not incremental one
// after the other, incremental ones a frame each in turn. Holds the streams that have something to send and a window to
// send it in; the connection's window is the sender's concern.
import { URGENCIES } from './priority.ts';
import type { Http2Stream } from './stream.ts';

export class Scheduler {
  /** First stream of a ring per urgency. */
  readonly #rings: (Http2Stream | null)[] = Array.from({ length: URGENCIES }, () => null);
  /** A bit for each urgency whose ring is not empty. */
  #occupied = 0;

  get empty(): boolean {
    return this.#occupied === 0;
  }

  /** Puts a stream last in its ring; nothing happens where it is in already. */
  add(stream: Http2Stream): void {
    if (stream.next !== null) return;
    const first = this.#rings[stream.urgency] as Http2Stream | null;
    if (first === null) {
      stream.next = stream;
      stream.previous = stream;
      this.#rings[stream.urgency] = stream;
      this.#occupied |= 1 << stream.urgency;
    } else {
      const last = first.previous as Http2Stream;
      last.next = stream;
      stream.previous = last;
      stream.next = first;
      first.previous = stream;
    }
  }

  remove(stream: Http2Stream): void {
    const next = stream.next;
    if (next === null) return;
    if (next === stream) {
      this.#rings[stream.urgency] = null;
      this.#occupied &= ~(1 << stream.urgency);
    } else {
      const previous = stream.previous as Http2Stream;
      previous.next = next;
      next.previous = previous;
      if (this.#rings[stream.urgency] === stream) this.#rings[stream.urgency] = next;
    }
    stream.next = null;
    stream.previous = null;
  }

  /** The stream whose frame is next, or null. Follow it up with `turn` or `remove`. */
  peek(): Http2Stream | null {
    if (this.#occupied === 0) return null;
    // The lowest bit set is the lowest urgency.
    return this.#rings[31 - Math.clz32(this.#occupied & -this.#occupied)] as Http2Stream;
  }

  /** After a frame of the stream that was next: an incremental one lets the others have their turn. */
  turn(stream: Http2Stream): void {
    if (stream.incremental) this.#rings[stream.urgency] = stream.next;
  }

  /** Changes a stream's priority, in the ring or out of it. */
  prioritize(stream: Http2Stream, urgency: number, incremental: boolean): void {
    const waiting = stream.next !== null;
    this.remove(stream);
    stream.urgency = urgency;
    stream.incremental = incremental;
    if (waiting) this.add(stream);
  }
}
