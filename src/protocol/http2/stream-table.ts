// The streams of a connection: the living ones by id, and what must be remembered of those that are gone, so that a late
// frame is told from a wrong one (RFC 9113 §5.1, §5.1.1).
import type { Http2Stream } from './stream.ts';

/** A power of two; more than most connections have streams at once. */
const SLOTS = 128;
/** Streams that were reset, remembered for frames that were on their way. */
const MAX_REMEMBERED_RESETS = 256;
/** Ranges of ids that the peer skipped; ordinary clients skip none. */
const MAX_REMEMBERED_GAPS = 32;

/** Who reset a stream that is gone. */
export type ResetBy = 'us' | 'peer';

export class StreamTable {
  /** A stream by the low bits of its number, unless an older one is there; much cheaper than a Map. */
  readonly #slots: (Http2Stream | null)[] = Array.from({ length: SLOTS }, () => null);
  /** The streams whose slot was taken. */
  readonly #others = new Map<number, Http2Stream>();
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
    const stream = this.#slots[slotOf(id)] as Http2Stream | null;
    return stream !== null && stream.id === id ? stream : this.#others.get(id);
  }

  /** All streams, in no order; they may be closed meanwhile. */
  values(): Http2Stream[] {
    return [...this.#slots.filter((stream) => stream !== null), ...this.#others.values()];
  }

  get size(): number {
    return this.peerCount + this.ownCount;
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
    const slot = slotOf(stream.id);
    if (this.#slots[slot] === null) this.#slots[slot] = stream;
    else this.#others.set(stream.id, stream);
    if (stream.fromPeer) this.peerCount++;
    else this.ownCount++;
  }

  close(stream: Http2Stream): void {
    const slot = slotOf(stream.id);
    if (this.#slots[slot] === stream) this.#slots[slot] = null;
    else if (!this.#others.delete(stream.id)) return;
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

/** Streams of one side are numbered in steps of two. */
function slotOf(id: number): number {
  return (id >>> 1) & (SLOTS - 1);
}
