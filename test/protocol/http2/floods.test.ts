// Floods: how many frames it takes until ENHANCE_YOUR_CALM, what earns budgets back, and limits at max and max + 1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloodBudget } from '../../../src/protocol/http2/flood-budgets.ts';
import { DEFAULT_OPTIONS } from '../../../src/protocol/http2/options.ts';
import type { Http2Options } from '../../../src/protocol/http2/options.ts';
import {
  ACK,
  block,
  CODE,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Peer,
  post,
  PREFACE,
  request,
  settings,
  TYPE,
  uint32,
} from './peer.ts';

interface Flood {
  readonly name: string;
  readonly budget: keyof Http2Options;
  /** Before the flood. */
  readonly first?: readonly Buffer[];
  /** The nth frame or frames that spend one. */
  make(n: number): Buffer;
}

/** Is reset. */
const MALFORMED = frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, block(...GET, ['X', '']));

const FLOODS: readonly Flood[] = [
  {
    name: 'requests that are cancelled at once (CVE-2023-44487)',
    budget: 'cancelBudget',
    make: (n) => Buffer.concat([request(1 + n * 2), frame(TYPE.RST_STREAM, 0, 1 + n * 2, uint32(8))]),
  },
  {
    name: 'RST_STREAM on closed streams',
    budget: 'cancelBudget',
    first: [request(1), frame(TYPE.RST_STREAM, 0, 1, uint32(8))],
    make: (n) => (n === 0 ? Buffer.alloc(0) : frame(TYPE.RST_STREAM, 0, 1, uint32(8))),
  },
  {
    name: 'malformed requests that make us reset (CVE-2025-8671)',
    budget: 'provokedResetBudget',
    make: (n) => frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1 + n * 2, block(...GET, ['X', ''])),
  },
  {
    name: 'window overflows that make us reset (CVE-2025-8671)',
    budget: 'provokedResetBudget',
    make: (n) =>
      Buffer.concat([request(1 + n * 2), frame(TYPE.WINDOW_UPDATE, 0, 1 + n * 2, uint32(0x7fffffff))]),
  },
  {
    name: 'empty DATA frames (CVE-2019-9518)',
    budget: 'emptyDataBudget',
    first: [post(1)],
    make: () => data(1, ''),
  },
  {
    name: 'DATA frames of padding alone',
    budget: 'emptyDataBudget',
    first: [post(1)],
    make: () => frame(TYPE.DATA, 8, 1, [3, 0, 0, 0]),
  },
  { name: 'PING (CVE-2019-9512)', budget: 'pingBudget', make: () => frame(TYPE.PING, 0, 0, '12345678') },
  {
    name: 'SETTINGS (CVE-2019-9515)',
    budget: 'settingsBudget',
    make: () => frame(TYPE.SETTINGS, 0, 0, settings([4, 5])),
  },
  { name: 'acknowledgements of SETTINGS', budget: 'settingsBudget', make: () => frame(TYPE.SETTINGS, 1, 0) },
  {
    name: 'WINDOW_UPDATE of 1 for the connection (CVE-2019-9511)',
    budget: 'windowUpdateBudget',
    make: () => frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1)),
  },
  {
    name: 'PRIORITY (CVE-2019-9513)',
    budget: 'priorityBudget',
    make: (n) => frame(TYPE.PRIORITY, 0, 1 + n * 2, [0, 0, 0, 0, 1]),
  },
  {
    name: 'PRIORITY_UPDATE',
    budget: 'priorityBudget',
    first: [request(1)],
    make: (n) => frame(TYPE.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(1), Buffer.from(`u=${n % 8}`)])),
  },
  { name: 'frames of unknown types', budget: 'unknownFrameBudget', make: () => frame(0xaa, 0, 0) },
  { name: 'GOAWAY', budget: 'unknownFrameBudget', make: () => frame(TYPE.GOAWAY, 0, 0, uint32(0, 0)) },
  {
    name: 'acknowledgements of PING',
    budget: 'unknownFrameBudget',
    make: () => frame(TYPE.PING, ACK, 0, '12345678'),
  },
  {
    name: 'empty DATA on a stream that we have reset',
    budget: 'unknownFrameBudget',
    first: [MALFORMED],
    make: () => data(1, ''),
  },
  {
    name: 'HEADERS on a stream that we have reset',
    budget: 'unknownFrameBudget',
    first: [MALFORMED],
    make: () => request(1),
  },
];

for (const flood of FLOODS) {
  test(`a flood of ${flood.name} ends the connection after ${flood.budget}, in bounded memory`, () => {
    const peer = Peer.ready().send(...(flood.first ?? []));
    const before = peer.faultCode;
    assert.equal(before, null);
    const budget = Number(DEFAULT_OPTIONS[flood.budget]);
    let n = 0;
    // Settings of the preface spend from their budget as well.
    const spent = flood.budget === 'settingsBudget' ? 2 : 0;
    for (; n < budget - spent; n++) peer.send(flood.make(n));
    assert.equal(peer.faultCode, null, 'within the budget');
    peer.send(flood.make(n));
    assert.equal(peer.faultCode, CODE.ENHANCE_YOUR_CALM);
    peer.frames();
    assert.ok(peer.outputBytes < 100_000);
    assert.ok(peer.connection.streamCount <= 1);
  });
}

test('a flood of refused streams ends the connection, sooner once the limit has been acknowledged', () => {
  const flood = (peer: Peer): number => {
    let n = 0;
    for (; peer.faultCode === null; n++) peer.send(request(1 + n * 2));
    assert.equal(peer.faultCode, CODE.ENHANCE_YOUR_CALM);
    return n;
  };
  const { maxConcurrentStreams, provokedResetBudget } = DEFAULT_OPTIONS;
  assert.equal(flood(Peer.ready()), maxConcurrentStreams + provokedResetBudget + 1);
  const eager = new Peer().send(PREFACE, frame(TYPE.SETTINGS, 0, 0));
  assert.equal(flood(eager), maxConcurrentStreams + 1000 + provokedResetBudget + 1);
});

test('a flood of one-octet windows ends the connection, though each brings a DATA frame (CVE-2019-9511)', () => {
  const peer = Peer.ready({}, undefined, settings([4, 0])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(100_000), '', null);
  let n = 0;
  for (; peer.faultCode === null; n++) {
    peer.send(frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(1)));
    peer.frames();
  }
  assert.equal(n, DEFAULT_OPTIONS.windowUpdateBudget + 1);
});

test('ordinary WINDOW_UPDATEs are no flood: each whole DATA frame earns two back', () => {
  const peer = Peer.ready({ windowUpdateBudget: 4 }, undefined, settings([4, 16_384])).send(request(1));
  peer.connection.sendResponse(peer.stream(1), 200, [], Buffer.alloc(16_384 * 100), '', null);
  for (let n = 0; n < 99; n++) {
    const sent = peer.frames().filter(({ type }) => type === TYPE.DATA);
    assert.equal(sent.length, 1);
    for (const id of [0, 1]) peer.send(frame(TYPE.WINDOW_UPDATE, 0, id, uint32(16_384)));
  }
  peer.frames();
  assert.equal(peer.faultCode, null);
  assert.equal(peer.stream(1).closed, true);
});

test('answered requests earn budgets back, so that a client may cancel now and then', () => {
  const peer = Peer.ready({ cancelBudget: 3, pingBudget: 3 });
  peer.onHead = (stream, head) => {
    if (head.path === '/') peer.connection.sendResponse(stream, 200, [], 'ok', '', null);
  };
  const slow = (id: number): Buffer =>
    frame(TYPE.HEADERS, END_HEADERS | END_STREAM, id, block(...GET.slice(0, 3), [':path', '/slow']));
  for (let n = 0; n < 100; n++) {
    const id = 1 + n * 4;
    peer.send(request(id), slow(id + 2), frame(TYPE.RST_STREAM, 0, id + 2, uint32(8)));
    peer.send(frame(TYPE.PING, 0, 0, '12345678'));
  }
  assert.equal(peer.faultCode, null);
  // Not more than the budget at once.
  for (let n = 100; n < 104; n++) peer.send(slow(1 + n * 4), frame(TYPE.RST_STREAM, 0, 1 + n * 4, uint32(8)));
  assert.equal(peer.faultCode, CODE.ENHANCE_YOUR_CALM);
});

test('DATA with data earns back what empty frames spent', () => {
  const peer = Peer.ready({ emptyDataBudget: 2 }).send(post(1));
  for (let n = 0; n < 50; n++) peer.send(data(1, ''), data(1, 'x'));
  assert.equal(peer.faultCode, null);
});

test('time refills budgets by a tenth in six seconds, where the driver tells it', () => {
  const peer = Peer.ready({ pingBudget: 10 });
  const ping = frame(TYPE.PING, 0, 0, '12345678');
  peer.connection.tick(1000);
  for (let n = 0; n < 10; n++) peer.send(ping);
  peer.connection.tick(6999);
  peer.connection.tick(7000);
  peer.send(ping);
  assert.equal(peer.faultCode, null);
  peer.connection.tick(12_999);
  peer.send(ping);
  assert.equal(peer.faultCode, CODE.ENHANCE_YOUR_CALM);
  peer.connection.tick(99_999);
});

test('a budget is spent to the last, and never holds more than its limit', () => {
  const budget = new FloodBudget(2, 1);
  assert.deepEqual([budget.spend(0), budget.spend(0), budget.spend(0)], [true, true, false]);
  budget.earn(5);
  assert.deepEqual([budget.spend(0), budget.spend(0), budget.spend(0)], [true, true, false]);
  assert.deepEqual([budget.spend(9), budget.spend(9), budget.spend(9)], [true, true, false]);
});

// --- Limits of header blocks and settings ---
function continued(fragments: readonly number[], last = true): Buffer[] {
  const body = Buffer.concat([block(...GET), Buffer.alloc(100_000, block(['a', 'b']))]);
  let at = 0;
  return fragments.map((length, i) => {
    const flags = last && i === fragments.length - 1 ? END_HEADERS : 0;
    const bytes = body.subarray(at, at + length);
    at += length;
    return frame(i === 0 ? TYPE.HEADERS : TYPE.CONTINUATION, i === 0 ? flags | END_STREAM : flags, 1, bytes);
  });
}

test('a header block of maxFragmentedHeaderBlockBytes is taken, one octet more is not (CVE-2024-27316)', () => {
  const options = { maxFragmentedHeaderBlockBytes: 32_000, maxHeaderListBytes: 1e9, maxHeaders: 1e9 };
  const size = block(...GET).length + block(['a', 'b']).length * 6000;
  const fitting = Peer.ready({ ...options, maxFragmentedHeaderBlockBytes: size });
  fitting.send(...continued([16_384, size - 16_384]));
  assert.deepEqual(fitting.events, ['head 1']);
  const over = Peer.ready({ ...options, maxFragmentedHeaderBlockBytes: size - 1 });
  over.send(...continued([16_384, size - 16_384]));
  assert.equal(over.faultCode, CODE.ENHANCE_YOUR_CALM);
  const first = Peer.ready({ ...options, maxFragmentedHeaderBlockBytes: 99 });
  first.send(...continued([100, 1]));
  assert.equal(first.faultCode, CODE.ENHANCE_YOUR_CALM);
  const single = Peer.ready({ ...options, maxFragmentedHeaderBlockBytes: 99 });
  single.send(...continued([block(...GET).length + 60]));
  assert.equal(single.faultCode, CODE.ENHANCE_YOUR_CALM);
});

test('a flood of CONTINUATION ends the connection, in bounded memory (CVE-2024-27316)', () => {
  for (const size of [0, 100]) {
    const peer = Peer.ready();
    peer.send(frame(TYPE.HEADERS, END_STREAM, 1, block(...GET)));
    let n = 0;
    for (; peer.faultCode === null; n++)
      peer.send(frame(TYPE.CONTINUATION, 0, 1, Buffer.alloc(size, 'a', 'latin1')));
    assert.equal(peer.faultCode, CODE.ENHANCE_YOUR_CALM);
    assert.equal(n, DEFAULT_OPTIONS.maxContinuationFrames + 1);
    for (let more = 0; more < 1000; more++) peer.send(frame(TYPE.CONTINUATION, 0, 1, 'more'));
    peer.frames();
    assert.ok(peer.outputBytes < 1000);
    assert.deepEqual([peer.events, peer.connection.streamCount], [['fault'], 0]);
  }
});

test('maxContinuationFrames are taken, one more is not, however small (CVE-2024-27316)', () => {
  const size = block(...GET).length;
  const frames = (count: number): Buffer[] => continued([size, ...Array.from({ length: count }, () => 0)]);
  const fitting = Peer.ready({ maxContinuationFrames: 5 }).send(...frames(5));
  assert.deepEqual(fitting.events, ['head 1']);
  const over = Peer.ready({ maxContinuationFrames: 5 }).send(...frames(6));
  assert.equal(over.faultCode, CODE.ENHANCE_YOUR_CALM);
});

test('maxSettings settings are taken in a frame, one more is not', () => {
  const many = (count: number): Buffer =>
    frame(TYPE.SETTINGS, 0, 0, settings(...Array.from({ length: count }, () => [99, 1] as const)));
  assert.equal(Peer.ready({ maxSettings: 3 }).send(many(3)).faultCode, null);
  assert.equal(Peer.ready({ maxSettings: 3 }).send(many(4)).faultCode, CODE.ENHANCE_YOUR_CALM);
});

test('a maxDecodeTableBytes is announced, and kept to once it is acknowledged (RFC 9113 §4.3.1, RFC 7541 §4.2)', () => {
  const announced = new Peer({ maxDecodeTableBytes: 100 }).frames()[0]?.payload.toString('hex') ?? '';
  assert.match(announced, /000100000064/);
  const head = (id: number, prefix: string): Buffer =>
    frame(
      TYPE.HEADERS,
      END_HEADERS | END_STREAM,
      id,
      Buffer.concat([Buffer.from(prefix, 'hex'), block(...GET)]),
    );
  const obedient = Peer.ready({ maxDecodeTableBytes: 100 }).send(head(1, '3f45'), head(3, ''));
  assert.deepEqual(obedient.events, ['head 1', 'head 3']);
  assert.equal(
    Peer.ready({ maxDecodeTableBytes: 100 }).send(head(1, '3f46')).faultCode,
    CODE.COMPRESSION_ERROR,
  );
  assert.equal(Peer.ready({ maxDecodeTableBytes: 100 }).send(head(1, '')).faultCode, CODE.COMPRESSION_ERROR);
});
