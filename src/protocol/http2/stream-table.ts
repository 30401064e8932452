// The streams of a connection: the living ones by id, and what must be remembered of those that are gone, so that a late
// frame is told from a wrong one (RFC 9113 §5.1, §5.1.1).
import type { Http2Stream } from './stream.ts';

/** Powers of two: so many slots there are at first, and as many more as streams are open at once, up to more than most connections have. */
const FIRST_SLOTS = 8;
const MAX_SLOTS = 128;
const NO_STREAMS: ReadonlyMap<number, Http2Stream> = new Map();
/** Streams that were reset, remembered for frames that were on their way. */
const MAX_REMEMBERED_RESETS = 256;
/** Ranges of ids that the peer skipped; ordinary clients skip none. */
const MAX_REMEMBERED_GAPS = 32;

/** Who reset a stream that is gone. */
export type ResetBy = 'us' | 'peer';

export class StreamTable {
  /** A stream by the low bits of its number, unless an older one is there; much cheaper than a Map. */
  #slots = makeSlots(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  /** The streams whose slot was taken; made when there is one. */
  #others: Map<number, Http2Stream> | null = null;
  /** By id, oldest first; made when there is one. */
  #resets: Map<number, ResetBy> | null = null;
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
    const stream = this.#slots[(id >>> 1) & this.#mask] as Http2Stream | null;
    return stream !== null && stream.id === id ? stream : this.#others?.get(id);
  }

  /** All streams, in no order; they may be closed meanwhile. */
  values(): Http2Stream[] {
    return [...this.#slots.filter((stream) => stream !== null), ...(this.#others ?? NO_STREAMS).values()];
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
    this.#put(stream);
    if (stream.fromPeer) this.peerCount++;
    else this.ownCount++;
  }

  close(stream: Http2Stream): void {
    const slot = (stream.id >>> 1) & this.#mask;
    if (this.#slots[slot] === stream) this.#slots[slot] = null;
    else if (this.#others?.delete(stream.id) !== true) return;
    if (stream.fromPeer) this.peerCount--;
    else this.ownCount--;
  }

  #put(stream: Http2Stream): void {
    const slot = (stream.id >>> 1) & this.#mask;
    if (this.#slots[slot] === null) this.#slots[slot] = stream;
    else if (this.#mask < MAX_SLOTS - 1) this.#growFor(stream);
    else (this.#others ??= new Map()).set(stream.id, stream);
  }

  /** With fewer slots than MAX_SLOTS no stream is among the others. */
  #growFor(stream: Http2Stream): void {
    const before = this.#slots;
    const slots = before.length * 2;
    this.#slots = makeSlots(slots);
    this.#mask = slots - 1;
    for (const other of before) if (other !== null) this.#put(other);
    this.#put(stream);
  }

  rememberReset(id: number, by: ResetBy): void {
    this.#resets ??= new Map();
    const resets = this.#resets;
    resets.set(id, by);
    if (resets.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of resets.keys()) {
      resets.delete(oldest);
      break;
    }
  }

  /** Who reset a stream that is gone, as far as is remembered. */
  resetBy(id: number): ResetBy | undefined {
    return this.#resets?.get(id);
  }
}

/** Streams of one side are numbered in steps of two: half of the number, but for its high bits, is the slot. */
function makeSlots(count: number): (Http2Stream | null)[] {
  return Array.from({ length: count }, () => null);
}
