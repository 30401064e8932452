// Who in this process listens to which channels, and what is read of howdah.events for them: each event once, however many listen.
// One for each process. Knows nothing of HTTP and WebSockets.
//
//   subscribe ──▶ late ──(has read up to where the hub is)──▶ live ──▶ cancelled
//
// The hub is at one place in the events for all who are live, and reads on from there when a notification names one of their
// channels. Who begins before that place reads on its own, together with those that begin at the same one, until it is there.
import type { SqlDispatcher } from '../database/call.ts';
import type { Observer } from '../observe/observation.ts';
import { observedCalls, type ObservedCall } from './observed-call.ts';
import {
  arrayText,
  decodeEvents,
  PRUNE_EVENTS,
  READ_EVENTS,
  VACUUM_EVENTS,
  type EventsRead,
} from './event-reads.ts';
import { placeId, placeText, PublishedEvent } from './published-event.ts';

/** Notified of each channel with new events; empty: any. */
export const EVENTS_CHANNEL = 'howdah_events';

/** What is read at once. One event may go beyond the bytes. */
const READ_EVENTS_MAX = 500;
const READ_BYTES = 1_048_576;
/** With more channels than this, all events are read and those of other channels dropped here. */
const MAX_NAMED_CHANNELS = 100;
/** A read without a notification: for one that got lost, and so that places move on where nothing happens. */
const READ_EVERY_MS = 5000;
/** Reads at once for those who are late: many come again at once, where a server was away. */
const MAX_LATE_READS = 8;
/**
 * How often those are told their place who heard nothing since, at most: what they could go on from must not be forgotten while they listen.
 */
const TELL_PLACES_EVERY_MS = 60_000;
/** Part of the retention after which it is forgotten how far they are, if that is less. */
const TELL_PLACES_SHARE = 4;
const PRUNE_EVERY_MS = 5000;
/** Events forgotten at once: a fraction of a second's work. */
const PRUNE_EVENTS_MAX = 10_000;
/** Forgotten events between two vacuums. The embedded engine has nobody else who does it. */
const VACUUM_EVERY = 20_000;
const DEFAULT_RETENTION_MS = 600_000;

export interface EventSubscriber {
  /** Events in the order of their ids. */
  deliver(event: PublishedEvent): void;
  /** Events up to `place` may be missing: they are no longer kept, or of another database. */
  reset(place: string): void;
  /** It has everything up to `place`, though there was nothing for it lately. */
  moved?(place: string): void;
}

export interface EventHubOptions {
  /** How long events are kept for clients that come again, in ms. Default 600 000. */
  readonly retentionMs?: number;
}

export class Subscription {
  readonly channels: readonly string[];
  readonly subscriber: EventSubscriber;
  /** The number up to which it has everything. */
  at: number;
  state: 'late' | 'live' | 'cancelled' = 'late';

  constructor(channels: readonly string[], subscriber: EventSubscriber, at: number) {
    this.channels = channels;
    this.subscriber = subscriber;
    this.at = at;
  }
}

interface Reading {
  /** null: all. */
  readonly channels: ReadonlySet<string> | null;
}

export class EventHub {
  readonly #call: ObservedCall;
  readonly #retentionMs: number;
  /** Of those who are live. */
  readonly #channels = new Map<string, Set<Subscription>>();
  readonly #late = new Set<Subscription>();
  /** What is being read for those who are late: by place and channels. */
  readonly #lateReads = new Set<string>();
  #era = '';
  /** All events up to here have been delivered to those who are live. */
  #at = 0;
  #live = 0;
  #reading: Reading | null = null;
  #readAgain = false;
  /** A notification was left alone because nobody who is live listened: there may be events after #at. */
  #ignoredWake = false;
  #readMs = 0;
  #toldPlacesMs = 0;
  #prunedMs = 0;
  #pruning = false;
  #sinceVacuum = 0;

  constructor(dispatcher: SqlDispatcher, observer: Observer, options: EventHubOptions = {}) {
    this.#call = observedCalls(dispatcher, observer, 'events');
    this.#retentionMs = options.retentionMs ?? DEFAULT_RETENTION_MS;
  }

  get size(): number {
    return this.#live + this.#late.size;
  }

  /** Where a subscription is: what it says to go on from there. */
  placeOf(subscription: Subscription): string {
    const at = subscription.state === 'live' ? Math.max(subscription.at, this.#at) : subscription.at;
    return placeText(this.#era, at);
  }

  /**
   * Listens to channels: to what comes after `since`, or, where that is null, after `newest`, a place that the database gave just
   * now.
   */
  subscribe(
    channels: readonly string[],
    newest: string,
    since: string | null,
    subscriber: EventSubscriber,
  ): Subscription {
    const dot = newest.indexOf('.');
    this.#enter(newest.slice(0, dot), Number(newest.slice(dot + 1)));
    const newestId = placeId(newest, this.#era) ?? this.#at;
    const sinceId = since === null ? newestId : placeId(since, this.#era);
    const subscription = new Subscription([...new Set(channels)], subscriber, sinceId ?? newestId);
    this.#late.add(subscription);
    if (sinceId === null || sinceId > Math.max(newestId, this.#at)) {
      subscription.at = newestId;
      subscriber.reset(placeText(this.#era, newestId));
    }
    if (this.#mayGoLive(subscription)) {
      this.#goLive(subscription);
      if (this.#ignoredWake) this.#read();
    } else if (this.#lateReads.size < MAX_LATE_READS && !this.#lateReads.has(keyOf(subscription))) {
      this.#catchUp();
    }
    return subscription;
  }

  cancel(subscription: Subscription): void {
    if (subscription.state === 'live') {
      this.#live -= 1;
      for (const channel of subscription.channels) {
        const listening = this.#channels.get(channel);
        listening?.delete(subscription);
        if (listening?.size === 0) this.#channels.delete(channel);
      }
    } else this.#late.delete(subscription);
    subscription.state = 'cancelled';
  }

  /** A notification of EVENTS_CHANNEL. */
  wake(channel: string): void {
    if (this.#live > 0 && (channel === '' || this.#channels.has(channel))) this.#read();
    else this.#ignoredWake = true;
  }

  /** Notifications may have been missed. */
  wakeAll(): void {
    this.wake('');
  }

  /** To be called about once a second: reads what no notification told of, and forgets old events. */
  poll(nowMs: number): void {
    this.#catchUp();
    if (this.#live > 0 && nowMs - this.#readMs >= READ_EVERY_MS) {
      this.#readMs = nowMs;
      this.#read();
    }
    if (nowMs - this.#toldPlacesMs >= Math.min(TELL_PLACES_EVERY_MS, this.#retentionMs / TELL_PLACES_SHARE)) {
      this.#toldPlacesMs = nowMs;
      this.#tellPlaces();
    }
    if (nowMs - this.#prunedMs >= PRUNE_EVERY_MS && !this.#pruning) {
      this.#prunedMs = nowMs;
      this.#prune();
    }
  }

  // --- those who are live ---

  /** Goes to where the database is, where nobody needs what is before; another era is another database. */
  #enter(era: string, id: number): void {
    if (era !== this.#era) {
      this.#era = era;
      this.#at = id;
      this.#resetAll(() => true);
    } else if (this.#live === 0 && this.#late.size === 0) this.#at = Math.max(this.#at, id);
  }

  #resetAll(needs: (subscription: Subscription) => boolean): void {
    const place = placeText(this.#era, this.#at);
    const told = new Set<Subscription>(this.#late);
    for (const listening of this.#channels.values()) for (const each of listening) told.add(each);
    for (const subscription of told) {
      if (!needs(subscription)) continue;
      subscription.at = this.#at;
      subscription.subscriber.reset(place);
    }
  }

  /** Each once, whatever number of channels it listens to. */
  #tellPlaces(): void {
    const place = placeText(this.#era, this.#at);
    for (const listening of this.#channels.values()) {
      for (const subscription of listening) {
        if (subscription.at >= this.#at) continue;
        subscription.at = this.#at;
        subscription.subscriber.moved?.(place);
      }
    }
  }

  #read(): void {
    if (this.#reading !== null) {
      this.#readAgain = true;
      return;
    }
    this.#readAgain = false;
    this.#ignoredWake = false;
    const named = this.#channels.size <= MAX_NAMED_CHANNELS ? [...this.#channels.keys()] : null;
    this.#reading = { channels: named === null ? null : new Set(named) };
    const from = this.#at;
    this.#callRead(from, named, (read) => {
      this.#reading = null;
      if (read !== null && this.#at === from) {
        this.#deliver(read);
        if (this.#isCut(read)) this.#readAgain = true;
      }
      this.#catchUp();
      if (this.#readAgain && read !== null && this.#live > 0) this.#read();
    });
  }

  #deliver(read: EventsRead): void {
    const from = this.#at;
    if (read.era !== this.#era || read.completeTo < from) {
      // The database was replaced by another one, or by an older state of itself.
      this.#era = read.era;
      this.#at = read.completeTo;
      this.#resetAll(() => true);
      return;
    }
    this.#at = read.completeTo;
    if (read.prunedTo > from) {
      // What was forgotten before we read it.
      this.#resetAll(({ state, at }) => state === 'live' && at < read.prunedTo);
    }
    for (const row of read.events) {
      const event = new PublishedEvent(this.#era, row);
      for (const subscription of this.#channels.get(row.channel) ?? []) {
        if (row.id <= subscription.at) continue;
        subscription.at = row.id;
        subscription.subscriber.deliver(event);
      }
    }
  }

  #isCut({ events }: EventsRead): boolean {
    return events.length >= READ_EVENTS_MAX || sizeOf(events) >= READ_BYTES;
  }

  // --- those who are late ---

  /** Lets those go live who can, and reads for the others: for those at one place together. */
  #catchUp(): void {
    const groups = new Map<string, Subscription[]>();
    const liveBefore = this.#live;
    for (const subscription of this.#late) {
      if (this.#mayGoLive(subscription)) {
        this.#goLive(subscription);
        continue;
      }
      // It waits for the end of what is being read, which leaves its channels out.
      if (subscription.at >= this.#at) continue;
      const key = keyOf(subscription);
      const group = groups.get(key);
      if (group !== undefined) group.push(subscription);
      else if (!this.#lateReads.has(key) && this.#lateReads.size + groups.size < MAX_LATE_READS)
        groups.set(key, [subscription]);
    }
    for (const [key, group] of groups) this.#readFor(key, group);
    if (this.#live > liveBefore && this.#ignoredWake) this.#read();
  }

  #mayGoLive({ at, channels }: Subscription): boolean {
    return at >= this.#at && this.#isRead(channels);
  }

  /** Whether what is being read, if anything is, has these channels in it. */
  #isRead(channels: readonly string[]): boolean {
    const reading = this.#reading?.channels ?? null;
    return reading === null || channels.every((channel) => reading.has(channel));
  }

  #goLive(subscription: Subscription): void {
    this.#late.delete(subscription);
    subscription.state = 'live';
    this.#live += 1;
    for (const channel of subscription.channels) {
      const listening = this.#channels.get(channel);
      if (listening === undefined) this.#channels.set(channel, new Set([subscription]));
      else listening.add(subscription);
    }
  }

  #readFor(key: string, group: readonly Subscription[]): void {
    const [first] = group;
    if (first === undefined) return;
    const { at: from, channels } = first;
    this.#lateReads.add(key);
    this.#callRead(from, channels, (read) => {
      this.#lateReads.delete(key);
      // The next poll tries again.
      if (read === null) return;
      const left = group.filter(({ state, at }) => state === 'late' && at === from);
      const isLost = read.era !== this.#era || read.prunedTo > from || read.completeTo < from;
      const events = isLost ? [] : read.events.map((row) => new PublishedEvent(read.era, row));
      for (const subscription of left) {
        if (isLost) {
          subscription.at = this.#at;
          subscription.subscriber.reset(placeText(this.#era, this.#at));
          continue;
        }
        subscription.at = read.completeTo;
        for (const event of events) subscription.subscriber.deliver(event);
      }
      this.#catchUp();
    });
  }

  // --- the database ---

  #prune(): void {
    this.#pruning = true;
    this.#call(PRUNE_EVENTS, [`${this.#retentionMs} ms`, String(PRUNE_EVENTS_MAX)], (result) => {
      this.#pruning = false;
      const pruned = result.kind === 'row' ? (result.columns[0]?.readInt32BE(0) ?? 0) : 0;
      // There is more.
      if (pruned === PRUNE_EVENTS_MAX) this.#prunedMs = 0;
      this.#sinceVacuum += pruned;
      if (this.#sinceVacuum < VACUUM_EVERY) return;
      this.#sinceVacuum = 0;
      this.#call(VACUUM_EVENTS, [], () => {});
    });
  }

  #callRead(
    after: number,
    channels: readonly string[] | null,
    done: (read: EventsRead | null) => void,
  ): void {
    const parameters = [
      String(after),
      channels === null ? null : arrayText(channels),
      String(READ_EVENTS_MAX),
      String(READ_BYTES),
    ];
    this.#call(READ_EVENTS, parameters, (result) => {
      const bytes = result.kind === 'row' ? (result.columns[0] ?? null) : null;
      done(bytes === null ? null : decodeEvents(bytes));
    });
  }
}

function keyOf({ at, channels }: Subscription): string {
  return `${at} ${JSON.stringify(channels)}`;
}

function sizeOf(events: EventsRead['events']): number {
  let bytes = 0;
  for (const { data } of events) bytes += Buffer.byteLength(data);
  return bytes;
}
