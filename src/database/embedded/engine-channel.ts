// What the main thread and the engine's thread share: two rings, counters, and how a unit of work is framed in them.

import { allocateRing, type SharedRingMemory } from './shared-ring.ts';

/**
 * Main to engine and back. A call is some 200 bytes each way, so 1 MiB never stops the engine while the main thread is
 * busy; larger messages stream through.
 */
const RING_BYTES = 1024 * 1024;

/** Units whose work the engine began, and those that it ended, since it started (modulo 2^32). */
export const UNITS_STARTED = 0;
export const UNITS_FINISHED = 1;
/** 1 while the main thread has been told to look at the ring and has not looked yet. */
export const MAIN_TOLD = 2;
/** 1 while the engine waits in the middle of a unit for the client's next bytes (COPY FROM STDIN). */
export const WAITS_INSIDE = 3;
/** 1 while temporary tables, cursors or advisory locks in the session are a client's: resets leave such things alone. */
export const KEEP_OBJECTS = 4;
/** 1 while the main thread has bytes that did not fit, and wants to be told of room. */
export const MAIN_WANTS_ROOM = 5;
const COUNTERS = 6;

export interface EngineChannel {
  readonly toEngine: SharedRingMemory;
  readonly fromEngine: SharedRingMemory;
  readonly counters: SharedArrayBuffer;
  /** One float64: the epoch that units are held against. */
  readonly epoch: SharedArrayBuffer;
}

export function allocateChannel(): EngineChannel {
  return {
    toEngine: allocateRing(RING_BYTES),
    fromEngine: allocateRing(RING_BYTES),
    counters: new SharedArrayBuffer(COUNTERS * 4),
    epoch: new SharedArrayBuffer(8),
  };
}

/** A unit is a header and bytes of the PostgreSQL protocol: an exchange, or what a client of the gateway sent. */
export interface UnitHeader {
  /** Bytes that follow the header. */
  length: number;
  flags: number;
  /** NaN where the unit does not depend on the catalog. */
  epoch: number;
}

/** What the session was before is restored when the unit is over. */
export const UNIT_RESETS = 1;
/** The unit is part of a conversation that may leave a transaction open, wait for more bytes or end without Sync. */
export const UNIT_CONTINUES = 2;
/** The engine shuts PostgreSQL down in good order and ends its thread; no bytes follow. */
export const UNIT_ENDS = 4;

export const UNIT_HEADER_BYTES = 16;

export class UnitHeaderCodec {
  readonly bytes = new Uint8Array(UNIT_HEADER_BYTES);
  readonly #view = new DataView(this.bytes.buffer);

  encode(length: number, flags: number, epoch: number | null): Uint8Array {
    this.#view.setUint32(0, length, true);
    this.#view.setUint32(4, flags, true);
    this.#view.setFloat64(8, epoch ?? Number.NaN, true);
    return this.bytes;
  }

  /** Reads what is in `bytes` into `header`. */
  decode(header: UnitHeader): void {
    header.length = this.#view.getUint32(0, true);
    header.flags = this.#view.getUint32(4, true);
    header.epoch = this.#view.getFloat64(8, true);
  }
}

/** The superuser of PGlite's clusters, as whom the engine's session is opened. */
export const ENGINE_USER = 'postgres';

/** What the main thread hands to the engine's thread when it starts. */
export interface EngineThreadData {
  readonly channel: EngineChannel;
  /** Directory of the cluster; null: in memory. */
  readonly clusterDirectory: string | null;
  /** Notified of each new epoch, with the epoch as payload. */
  readonly catalogChannel: string;
  /** What the session listens to at all times, besides the catalog. */
  readonly channels: readonly string[];
}

/** What the engine's thread posts; everything else goes through the rings. */
export type EngineThreadMessage =
  | { readonly kind: 'ready'; readonly version: string; readonly initialised: boolean }
  /** Bytes are in the ring. */
  | { readonly kind: 'bytes' }
  /** There is room in the ring again. */
  | { readonly kind: 'room' }
  /** The engine is of no use any more; the thread ends. */
  | { readonly kind: 'dead'; readonly reason: string }
  /** Shut down in good order. */
  | { readonly kind: 'ended' };
