// What the hub of events reads, and who gets what of it: over a dispatcher that only writes down, with a database that is a list.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventHub, type EventSubscriber, type Subscription } from '../../src/catalog/event-hub.ts';
import type { CallResult, SqlCall } from '../../src/database/call.ts';
import type { Observation } from '../../src/observe/observation.ts';

interface Row {
  readonly id: number;
  readonly channel: string;
  readonly data: string;
}

/** Answers calls when it is told to, from a list of events. */
class Database {
  readonly calls: SqlCall[] = [];
  readonly events: Row[] = [];
  readonly reads: { after: number; channels: string[] | null }[] = [];
  era = 'era1';
  prunedTo = 0;
  last = 0;

  publish(channel: string, data = `${this.last + 1}`): void {
    this.last += 1;
    this.events.push({ id: this.last, channel, data });
  }

  get place(): string {
    return `${this.era}.${this.last}`;
  }

  /** Answers the oldest call with what there is now; an error where it is told so. */
  answer(failure: CallResult | null = null): void {
    const call = this.calls.shift();
    assert.ok(call !== undefined, 'nothing was asked');
    if (failure !== null) call.complete(failure);
    else if (call.statement.text.includes('read_events')) call.complete(this.#read(call));
    else {
      const none = Buffer.alloc(4);
      call.complete({ kind: 'row', columns: [none] });
    }
  }

  answerAll(): void {
    while (this.calls.length > 0) this.answer();
  }

  #read({ parameters }: SqlCall): CallResult {
    const [after, channels, max] = parameters;
    const named = channels === null ? null : (JSON.parse(`[${String(channels).slice(1, -1)}]`) as string[]);
    this.reads.push({ after: Number(after), channels: named });
    const found = this.events
      .filter(
        ({ id, channel }) =>
          id > Number(after) && id > this.prunedTo && (named === null || named.includes(channel)),
      )
      .slice(0, Number(max));
    const isCut = found.length === Number(max);
    const completeTo = isCut ? (found.at(-1)?.id ?? 0) : this.last;
    const int8 = (value: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(BigInt(value));
      return bytes;
    };
    const text = (value: string | null): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value === null ? -1 : Buffer.byteLength(value));
      return Buffer.concat([bytes, Buffer.from(value ?? '')]);
    };
    const rows = found.flatMap(({ id, channel, data }) => [int8(id), text(channel), text(null), text(data)]);
    return {
      kind: 'row',
      columns: [Buffer.concat([int8(this.prunedTo), int8(completeTo), text(this.era), ...rows])],
    };
  }
}

class Listener implements EventSubscriber {
  readonly got: string[] = [];
  deliver({ channel, data }: { channel: string; data: string }): void {
    this.got.push(`${channel} ${data}`);
  }
  reset(place: string): void {
    this.got.push(`reset ${place}`);
  }
}

function start() {
  const database = new Database();
  const observations: Observation[] = [];
  const hub = new EventHub(
    { dispatch: (call) => void database.calls.push(call) },
    { observe: (seen) => void observations.push(seen) },
  );
  const listen = (
    channels: string[],
    since: string | null = null,
  ): Listener & { subscription: Subscription } => {
    const listener = new Listener();
    const subscription = hub.subscribe(channels, database.place, since, listener);
    return Object.assign(listener, { subscription });
  };
  const publish = (channel: string): void => {
    database.publish(channel);
    hub.wake(channel);
  };
  return { database, hub, listen, publish, observations };
}

describe('the hub of events', () => {
  test('10 000 who listen to one channel cost one read for each event', () => {
    const { database, listen, publish } = start();
    const listeners = Array.from({ length: 10_000 }, () => listen(['news']));
    assert.equal(database.reads.length, 0);
    for (let n = 1; n <= 3; n += 1) {
      publish('news');
      database.answerAll();
      assert.equal(database.reads.length, n);
    }
    assert.ok(listeners.every(({ got }) => got.join() === 'news 1,news 2,news 3'));
  });

  test('10 000 who come again at one place cost one read to get there, too', () => {
    const { database, listen, publish } = start();
    listen(['news']);
    const { place } = database;
    for (let n = 0; n < 5; n += 1) publish('news');
    database.answerAll();
    const before = database.reads.length;
    const again = Array.from({ length: 10_000 }, () => listen(['news'], place));
    database.answerAll();
    // The first is read for at once; those who came while it was, together.
    assert.equal(database.reads.length - before, 2);
    assert.ok(again.every(({ got }) => got.join() === 'news 1,news 2,news 3,news 4,news 5'));
  });

  test('who hears nothing is told now and then how far it is, and has lost nothing when it comes again', () => {
    const { database, hub, listen, publish } = start();
    listen(['loud']);
    const quiet = Object.assign(listen(['quiet', 'still']), {
      moved: (place: string) => void quiet.got.push(`at ${place}`),
    });
    const told = (): string[] => quiet.got.splice(0);
    let nowMs = 1_000_000;
    const pass = (ms: number): void => {
      nowMs += ms;
      hub.poll(nowMs);
      database.answerAll();
    };
    pass(0);
    publish('loud');
    database.answerAll();
    pass(59_999);
    assert.deepEqual(told(), []);
    pass(1);
    assert.deepEqual(told(), ['at era1.1']);
    // Nothing has happened since.
    pass(60_000);
    assert.deepEqual(told(), []);
    publish('loud');
    publish('quiet');
    database.answerAll();
    pass(60_000);
    assert.deepEqual(told(), ['quiet 3']);
    publish('loud');
    database.answerAll();
    pass(60_000);
    assert.deepEqual(told(), ['at era1.4']);
    database.prunedTo = 4;
    assert.deepEqual(listen(['quiet'], 'era1.4').got, []);
  });

  test('those who come again at many places are read for a few at a time', () => {
    const { database, listen, publish } = start();
    listen(['news']);
    for (let n = 0; n < 100; n += 1) publish('news');
    database.answerAll();
    const late = Array.from({ length: 100 }, (_, n) => listen(['news'], `era1.${n}`));
    assert.equal(database.calls.length, 8);
    database.answerAll();
    assert.ok(late.every(({ got }, n) => got.length === 100 - n));
  });

  test('notifications of a burst are one read, and of channels without listeners none', () => {
    const { database, listen, publish } = start();
    const listener = listen(['news']);
    publish('other');
    assert.equal(database.calls.length, 0);
    for (let n = 0; n < 100; n += 1) publish('news');
    database.answerAll();
    assert.equal(database.reads.length, 2);
    assert.equal(listener.got.length, 100);
  });

  test('what is cut is read on at once', () => {
    const { database, hub, listen } = start();
    const listener = listen(['news']);
    for (let n = 0; n < 1100; n += 1) database.publish('news');
    hub.wake('news');
    database.answerAll();
    assert.equal(listener.got.length, 1100);
    assert.equal(new Set(listener.got).size, 1100);
  });

  test('of many channels all events are read, of few those', () => {
    const { database, listen, publish } = start();
    const listeners = Array.from({ length: 150 }, (_, n) => listen([`c${n}`]));
    publish('c7');
    publish('none');
    database.answerAll();
    assert.equal(database.reads[0]?.channels, null);
    assert.deepEqual(
      listeners.flatMap(({ got }) => got),
      ['c7 1'],
    );
  });

  test('an event between the handler and its subscription is not lost, and one before it not repeated', () => {
    const { database, hub, listen, publish } = start();
    publish('news');
    const { place } = database;
    publish('news');
    const listener = new Listener();
    hub.subscribe(['news'], place, null, listener);
    database.answerAll();
    assert.deepEqual(listener.got, ['news 2']);
    const other = listen(['news']);
    publish('news');
    database.answerAll();
    assert.deepEqual([listener.got.at(-1), other.got.join()], ['news 3', 'news 3']);
  });

  test('who comes to a new channel while others are read misses nothing of it', () => {
    const { database, hub, listen, publish } = start();
    listen(['news']);
    publish('news');
    // Dispatched for `news` alone; meanwhile somebody comes for `more`, and then something happens there.
    const late = listen(['more']);
    publish('more');
    publish('more');
    database.answerAll();
    hub.poll(1e9);
    database.answerAll();
    assert.deepEqual(late.got, ['more 2', 'more 3']);
  });

  test('two channels are delivered in the order of the ids', () => {
    const { database, listen, publish } = start();
    const both = listen(['a', 'b', 'a']);
    for (let n = 0; n < 6; n += 1) publish(n % 2 === 0 ? 'a' : 'b');
    database.answerAll();
    assert.deepEqual(both.got, ['a 1', 'b 2', 'a 3', 'b 4', 'a 5', 'b 6']);
  });

  test('who has cancelled gets no more, also from within a delivery; without anybody nothing is read', () => {
    const { database, hub, listen, publish } = start();
    const first = listen(['news']);
    const second = listen(['news']);
    first.deliver = () => hub.cancel(second.subscription);
    publish('news');
    database.answerAll();
    assert.deepEqual(second.got, []);
    hub.cancel(first.subscription);
    assert.equal(hub.size, 0);
    const reads = database.reads.length;
    publish('news');
    hub.poll(1e9);
    database.answerAll();
    assert.equal(database.reads.length, reads);
  });

  test('what no notification told of is found by the poll, and places move on where nothing happens', () => {
    const { database, hub, listen } = start();
    const listener = listen(['news']);
    database.publish('news');
    database.publish('other');
    hub.poll(1_000_000);
    database.answerAll();
    assert.deepEqual(listener.got, ['news 1']);
    assert.equal(hub.placeOf(listener.subscription), 'era1.2');
  });

  test('a read that fails is tried again, and nothing is lost or repeated', () => {
    const { database, hub, listen, publish, observations } = start();
    const { place } = database;
    const listener = listen(['news']);
    publish('news');
    const error = { severity: 'ERROR', code: '57014', message: 'canceled' };
    database.answer({ kind: 'failed', error });
    assert.equal(observations.length, 1);
    hub.poll(1_000_000);
    database.answer({ kind: 'lost', reason: 'gone' });
    database.answerAll();
    const late = listen(['news'], place);
    hub.poll(2_000_000);
    database.answerAll();
    assert.deepEqual([listener.got, late.got], [['news 1'], ['news 1']]);
  });

  test('what was forgotten before it was read is told by a reset', () => {
    const { database, hub, listen, publish } = start();
    const { place } = database;
    const listener = listen(['news']);
    for (let n = 0; n < 5; n += 1) database.publish('news');
    database.prunedTo = 3;
    hub.wake('news');
    database.answerAll();
    assert.deepEqual(listener.got, ['reset era1.5']);
    const late = listen(['news'], place);
    database.answerAll();
    publish('news');
    database.answerAll();
    assert.deepEqual(late.got, ['reset era1.5', 'news 6']);
  });

  test('another database, or an older state of this one, is told to all by a reset', () => {
    const { database, hub, listen, publish } = start();
    const listener = listen(['news']);
    for (let n = 0; n < 5; n += 1) publish('news');
    database.answerAll();
    listener.got.length = 0;
    database.era = 'era2';
    database.last = 1;
    database.events.length = 0;
    hub.wakeAll();
    database.answerAll();
    assert.deepEqual(listener.got, ['reset era2.1']);
    publish('news');
    database.answerAll();
    assert.equal(listener.got.at(-1), 'news 2');
    const late = listen(['news'], 'era1.3');
    assert.deepEqual(late.got, ['reset era2.2']);
  });
});
