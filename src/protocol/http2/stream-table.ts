// The streams of a connection: the living ones by id, and what must be remembered of those that are gone, so that a late
// frame is told from a wrong one (RFC 9113 §5.1, §5.1.1).
import type { Http2Stream } from './stream.ts';

/** Streams that were reset, remembered for frames that were on their way. */
const MAX_REMEMBERED_RESETS = 256;
/** Ranges of ids that the peer skipped; ordinary clients skip none. */
const MAX_REMEMBERED_GAPS = 32;

/** Who reset a stream that is gone. */
export type ResetBy = 'us' | 'peer';

export class StreamTable {
  readonly #streams = new Map<number, Http2Stream>();
  /** By id, oldest first. */
  readonly #resets = new Map<number, ResetBy>();
  /** First and last id of each gap in turn, oldest first. */
  readonly #gaps: number[] = [];
  /** The highest stream that the peer opened. */
  lastPeerId = 0;
  /** The highest stream that we opened (pushed). */
  lastOwnId = 0;
  /** Streams of the peer that are open or half-closed (RFC 9113 §5.1.2). */
  peerCount = 0;
  /** Pushed streams that are half-closed; reserved ones do not count, but we open them at once. */
  ownCount = 0;

  get(id: number): Http2Stream | undefined {
    return this.#streams.get(id);
  }

  values(): IterableIterator<Http2Stream> {
    return this.#streams.values();
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Whether no frame has opened or skipped the stream yet. */
  isIdle(id: number): boolean {
    return id % 2 === 1 ? id > this.lastPeerId : id > this.lastOwnId;
  }

  /** Marks a stream of the peer as used, and all below it with it (RFC 9113 §5.1.1). */
  usePeerId(id: number): void {
    if (id > this.lastPeerId + 2) {
      this.#gaps.push(this.lastPeerId === 0 ? 1 : this.lastPeerId + 2, id - 2);
      if (this.#gaps.length > MAX_REMEMBERED_GAPS * 2) this.#gaps.splice(0, 2);
    }
    this.lastPeerId = id;
  }

  /** Whether the peer skipped the stream, as far as is remembered: it was never open, and can never be. */
  wasSkipped(id: number): boolean {
    for (let i = 0; i < this.#gaps.length; i += 2) {
      if (id >= (this.#gaps[i] as number) && id <= (this.#gaps[i + 1] as number)) return true;
    }
    return false;
  }

  open(stream: Http2Stream): void {
    this.#streams.set(stream.id, stream);
    if (stream.fromPeer) this.peerCount++;
    else this.ownCount++;
  }

  close(stream: Http2Stream): void {
    if (!this.#streams.delete(stream.id)) return;
    if (stream.fromPeer) this.peerCount--;
    else this.ownCount--;
  }

  rememberReset(id: number, by: ResetBy): void {
    this.#resets.set(id, by);
    if (this.#resets.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of this.#resets.keys()) {
      this.#resets.delete(oldest);
      break;
    }
  }

  /** Who reset a stream that is gone, as far as is remembered. */
  resetBy(id: number): ResetBy | undefined {
    return this.#resets.get(id);
  }
}
