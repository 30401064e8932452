// CONNECT, plain and extended: what may follow its heads, both ways (RFC 9113 §8.5, RFC 8441).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, CODE, data, eachWay, END_HEADERS, END_STREAM, frame, Peer, request, TYPE } from './peer.ts';
import type { Feed } from './peer.ts';

const PLAIN = [
  [':method', 'CONNECT'],
  [':authority', 'a.example:443'],
] as const;
const EXTENDED = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/'],
] as const;

function connected(feed?: Feed, fields: readonly (readonly [string, string])[] = EXTENDED): Peer {
  return Peer.ready({}, feed).send(frame(TYPE.HEADERS, END_HEADERS, 1, block(...fields)));
}

for (const [name, fields] of Object.entries({ CONNECT: PLAIN, 'extended CONNECT': EXTENDED })) {
  eachWay(`HEADERS after those of ${name} are a stream error (RFC 9113 §8.5)`, (feed) => {
    const peer = connected(feed, fields).send(
      data(1, 'x'),
      frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, block(['x-sum', '1'])),
    );
    assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
    assert.deepEqual(peer.events, ['head 1', 'data 1', 'reset 1']);
    assert.deepEqual(peer.send(request(3)).events.at(-1), 'head 3');
  });
}

test('no trailers are sent on a connected stream: its end is that of DATA (RFC 9113 §8.5)', () => {
  const peer = connected();
  const { connection } = peer;
  connection.sendHead(peer.stream(1), 200, [], null, '', null);
  connection.sendEnd(peer.stream(1), ['x-sum', '1']);
  assert.deepEqual(
    peer.frames().map(({ type, flags }) => [type, flags]),
    [
      [TYPE.HEADERS, END_HEADERS],
      [TYPE.DATA, END_STREAM],
    ],
  );
});

test('a whole successful answer to CONNECT has neither content nor content-length (RFC 9110 §9.3.6)', () => {
  for (const fields of [PLAIN, EXTENDED]) {
    const peer = connected(undefined, fields);
    peer.connection.sendResponse(peer.stream(1), 200, [], 'no tunnel', '', null);
    const [head, ...others] = peer.frames();
    assert.deepEqual([head?.flags, head?.payload.toString('hex')], [END_HEADERS | END_STREAM, '88']);
    assert.deepEqual(others, []);
  }
  const refused = connected();
  refused.connection.sendResponse(refused.stream(1), 404, [], 'no', '', null);
  assert.equal(refused.frames()[1]?.payload.toString(), 'no');
});
