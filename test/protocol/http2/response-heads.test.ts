// How heads of responses are encoded: in frames, with a table, and what never goes into it (RFC 9113 §4.3, RFC 7541).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackEncoder } from '../../../src/protocol/http2/hpack/encoder.ts';
import { END_HEADERS, END_STREAM, frame, Peer, request, settings, TYPE } from './peer.ts';
import { Reader } from './response-reader.ts';

test('a head larger than a frame is continued (RFC 9113 §6.10)', () => {
  const peer = Peer.ready().send(request(1), request(3));
  const { connection } = peer;
  const long = (letter: string): string => letter.repeat(30_000);
  connection.sendResponse(peer.stream(1), 200, ['x-a', long('{'), 'x-b', long('}')], 'ok', '', null);
  const frames = peer.frames();
  assert.deepEqual(
    frames.map(({ type, flags, id }) => [type, flags, id]),
    [
      [TYPE.HEADERS, 0, 1],
      [TYPE.CONTINUATION, 0, 1],
      [TYPE.CONTINUATION, 0, 1],
      [TYPE.CONTINUATION, END_HEADERS, 1],
      [TYPE.DATA, END_STREAM, 1],
    ],
  );
  const reader = new Reader();
  const [start] = reader.read(frames);
  assert.deepEqual(start?.slice(2, 4), [`x-a: ${long('{')}`, `x-b: ${long('}')}`]);
  const pushed = {
    method: 'GET',
    scheme: 'https',
    authority: 'a',
    path: '/',
    fields: ['x-a', long('{')],
  } as const;
  connection.sendPush(peer.stream(3), pushed);
  const promise = peer.frames();
  assert.deepEqual(
    promise.map(({ type, flags, id, payload }) => [type, flags, id, payload.length]),
    [
      [TYPE.PUSH_PROMISE, 0, 3, 16_384],
      [TYPE.CONTINUATION, END_HEADERS, 3, promise[1]?.payload.length],
    ],
  );
  const whole = Buffer.concat(
    [promise[0]?.payload.subarray(4) ?? '', promise[1]?.payload ?? ''].map((b) => Buffer.from(b)),
  );
  assert.equal(reader.fields(whole).at(-1), `x-a: ${long('{')}`);
});

test('repeated heads are a few octets, and what they mean does not change (RFC 7541 §2.3.2)', () => {
  const peer = Peer.ready();
  const reader = new Reader();
  const lengths: number[] = [];
  const seconds = ['00', '01', '02'];
  let id = 1;
  for (const second of seconds) {
    for (let n = 0; n < 6; n++, id += 2) {
      peer.send(request(id));
      const date = `Sun, 22 Nov 2026 03:25:${second} GMT`;
      const fields = ['content-type', 'text/html', 'x-kind', n === 3 ? 'three' : 'other'];
      peer.connection.sendResponse(peer.stream(id), 200, fields, 'ok', date, 'howdah');
      const frames = peer.frames();
      lengths.push(frames[0]?.payload.length ?? 0);
      assert.deepEqual(reader.read(frames)[0], [
        `${id}`,
        ':status: 200',
        'content-type: text/html',
        `x-kind: ${n === 3 ? 'three' : 'other'}`,
        'content-length: 2',
        'server: howdah',
        `date: ${date}`,
      ]);
    }
  }
  assert.ok((lengths[0] ?? 0) > 50);
  assert.equal(lengths[5], 9);
});

test('secrets are never indexed, and changing values are not (RFC 7541 §7.1.3)', () => {
  const encoder = new HpackEncoder(4096);
  const target = Buffer.alloc(1024);
  const encode = (name: string, value: string): number[] => [
    ...target.subarray(0, encoder.encode(target, 0, '', [name, value], -1, '', '')),
  ];
  for (const name of ['set-cookie', 'authorization', 'proxy-authorization', 'cookie']) {
    assert.equal((encode(name, 'secret')[0] ?? 0) & 0xf0, 0x10, name);
  }
  for (const name of ['etag', 'location', 'last-modified', 'age']) {
    assert.equal((encode(name, '1')[0] ?? 0) & 0xf0, 0, name);
  }
  assert.deepEqual(encode('x-request-id', '1').slice(0, 1), [0]);
  // Longer than a quarter of the table.
  assert.equal((encode('x-long', 'v'.repeat(1000))[0] ?? 0) & 0xf0, 0);
});

test('our table is no larger than the peer allows, or than maxEncodeTableBytes, and says so first (RFC 9113 §4.3.1, RFC 7541 §4.2)', () => {
  const first = (peer: Peer, id: number): string => {
    peer.send(request(id));
    peer.connection.sendResponse(peer.stream(id), 204, [], null, '', null);
    return (
      peer
        .frames()
        .find(({ type }) => type === TYPE.HEADERS)
        ?.payload.toString('hex') ?? ''
    );
  };
  assert.equal(first(Peer.ready(), 1), '89');
  assert.equal(first(Peer.ready({ maxEncodeTableBytes: 100 }), 1), '3f4589');
  assert.equal(first(Peer.ready({ maxEncodeTableBytes: 0 }), 1), '2089');
  const peer = Peer.ready({ maxEncodeTableBytes: 8192 }, undefined, settings([1, 100]));
  assert.equal(first(peer, 1), '3f4589');
  assert.equal(first(peer, 3), '89');
  peer.send(
    frame(TYPE.SETTINGS, 0, 0, settings([1, 0])),
    frame(TYPE.SETTINGS, 0, 0, settings([1, 1_000_000])),
  );
  // The smallest on the way, and the last.
  assert.equal(first(peer, 5), '203fe13f89');
  peer.send(frame(TYPE.SETTINGS, 0, 0, settings([1, 1_000_000])));
  assert.equal(first(peer, 7), '89');
});
