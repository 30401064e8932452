// What makes a request: RFC 9113 §8, RFC 8441, and the sizes that a head may have.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  block,
  CODE,
  data,
  eachWay,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Peer,
  POST,
  post,
  request,
  TYPE,
} from './peer.ts';

type Field = readonly [string, string];

function headers(fields: readonly Field[], end = true): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | (end ? END_STREAM : 0), 1, block(...fields));
}

/** GET with one pseudo-field replaced, or left out. */
function replace(name: string, value: string | null): Field[] {
  return GET.flatMap((field): Field[] =>
    field[0] !== name ? [field] : value === null ? [] : [[name, value]],
  );
}

function malformed(name: string, fields: readonly Field[], end = true): void {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed).send(headers(fields, end));
    assert.deepEqual(peer.events, []);
    assert.equal(peer.faultCode, null);
    assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
    // The connection goes on.
    assert.deepEqual(peer.send(request(3)).events, ['head 3']);
  });
}

eachWay('a request is delivered with everything it says (RFC 9113 §8.3.1)', (feed) => {
  const peer = Peer.ready({}, feed);
  const fields: Field[] = [...replace(':path', '/a/b?c=d?e'), ['user-agent', 'x'], ['x-empty', '']];
  peer.send(headers(fields));
  assert.deepEqual(peer.heads(), [
    {
      method: 'GET',
      authority: 'example.org',
      path: '/a/b',
      query: 'c=d?e',
      version: '2',
      fields: ['user-agent', 'x', 'x-empty', '', 'host', 'example.org'],
      hasBody: false,
      contentLength: 0,
      expectContinue: false,
      scheme: 'https',
      protocol: null,
    },
  ]);
});

eachWay(
  'a request with a body says so, its length and whether it waits for 100 (RFC 9110 §10.1.1)',
  (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(post(1, ['content-length', '3'], ['expect', '100-Continue']), data(1, 'abc', true), post(3));
    const [first, second] = peer.heads();
    assert.deepEqual([first?.hasBody, first?.contentLength, first?.expectContinue], [true, 3, true]);
    assert.deepEqual([second?.hasBody, second?.contentLength, second?.expectContinue], [true, null, false]);
    assert.deepEqual(peer.events, ['head 1', 'data 1', 'end 1', 'head 3']);
    peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 5, block(...GET, ['expect', '100-continue'])));
    assert.equal(peer.heads()[2]?.expectContinue, false);
    peer.send(frame(TYPE.HEADERS, END_HEADERS, 7, block(...POST, ['expect', 'something'])));
    assert.equal(peer.heads()[3]?.expectContinue, false);
  },
);

eachWay('cookie fields are joined (RFC 9113 §8.2.3)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(request(1, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2'], ['cookie', 'c=3']));
  assert.deepEqual(peer.heads()[0]?.fields, ['cookie', 'a=1; b=2; c=3', 'x', 'y', 'host', 'example.org']);
});

eachWay('host stands in for :authority, and may equal it in another case (RFC 9113 §8.3.1)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(headers([...replace(':authority', null), ['host', 'a.example:8080']]));
  peer.send(request(3, ['host', 'EXAMPLE.org']));
  assert.deepEqual(
    peer.heads().map(({ authority }) => authority),
    ['a.example:8080', 'example.org'],
  );
});

eachWay('te: trailers is let through (RFC 9113 §8.2.2)', (feed) => {
  assert.deepEqual(Peer.ready({}, feed).send(request(1, ['te', 'trailers'])).events, ['head 1']);
});

eachWay('OPTIONS * is a request (RFC 9113 §8.3.1)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(headers([[':method', 'OPTIONS'], ...replace(':path', '*').slice(1)]));
  assert.equal(peer.heads()[0]?.path, '*');
});

eachWay('unknown methods and schemes are delivered as they are', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(headers([[':method', 'x-Frob'], [':scheme', 'coap+x'], ...GET.slice(2)]));
  assert.deepEqual([peer.heads()[0]?.method, peer.heads()[0]?.scheme], ['x-Frob', 'coap+x']);
});

eachWay('CONNECT has an authority alone (RFC 9113 §8.5)', (feed) => {
  const peer = Peer.ready({}, feed);
  peer.send(
    headers(
      [
        [':method', 'CONNECT'],
        [':authority', 'a.example:443'],
      ],
      false,
    ),
  );
  const [head] = peer.heads();
  assert.deepEqual([head?.authority, head?.path, head?.query, head?.scheme], ['a.example:443', '', null, '']);
});

const EXTENDED: Field[] = [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)];
eachWay('extended CONNECT is offered and delivered with its protocol (RFC 8441 §4)', (feed) => {
  const offering = new Peer({}, feed);
  assert.match(offering.frames()[0]?.payload.toString('hex') ?? '', /000800000001/);
  const peer = Peer.ready({}, feed).send(headers(EXTENDED, false));
  assert.deepEqual([peer.heads()[0]?.protocol, peer.heads()[0]?.path], ['websocket', '/']);
});
eachWay('extended CONNECT that was not offered is malformed (RFC 8441 §3)', (feed) => {
  const peer = new Peer({ enableConnectProtocol: false }, feed);
  assert.doesNotMatch(peer.frames()[0]?.payload.toString('hex') ?? '', /000800000001/);
  const ready = Peer.ready({ enableConnectProtocol: false }, feed).send(headers(EXTENDED, false));
  assert.equal(ready.resetCode(1), CODE.PROTOCOL_ERROR);
});

eachWay('client-cert and client-cert-chain of a client are dropped (RFC 9440 §2.4)', (feed) => {
  const lies: Field[] = [
    ['client-cert', ':bGll:'],
    ['a', 'b'],
    ['client-cert-chain', ':bGll:'],
  ];
  const peer = Peer.ready({}, feed).send(request(1, ...lies), request(3, ...lies));
  for (const head of peer.heads()) assert.deepEqual(head.fields, ['a', 'b', 'host', head.authority]);
  assert.equal(peer.heads().length, 2);
});
malformed('a pseudo-field after a field that is dropped is malformed (RFC 9113 §8.3)', [
  ...GET.slice(0, 3),
  ['client-cert', ':bGll:'],
  [':path', '/'],
]);

for (const name of [':method', ':scheme', ':path', ':authority']) {
  malformed(`a request without ${name} is malformed (RFC 9113 §8.3.1)`, replace(name, null));
  const twice = GET.flatMap((field): Field[] => (field[0] === name ? [field, field] : [field]));
  malformed(`a request with two ${name} is malformed (RFC 9113 §8.3)`, twice);
}
for (const [why, fields] of Object.entries<readonly Field[]>({
  'a pseudo-field after a field is malformed (RFC 9113 §8.3)': [
    ...GET.slice(0, 3),
    ['a', 'b'],
    [':path', '/'],
  ],
  'an unknown pseudo-field is malformed (RFC 9113 §8.3)': [...GET, [':foo', 'bar']],
  'a response pseudo-field in a request is malformed (RFC 9113 §8.3)': [...GET, [':status', '200']],
  'an empty :path is malformed (RFC 9113 §8.3.1)': replace(':path', ''),
  'a :path that does not begin with a slash is malformed (RFC 9113 §8.3.1)': replace(':path', 'a/b'),
  'a :path of * without OPTIONS is malformed (RFC 9113 §8.3.1)': replace(':path', '*'),
  'a :path with a space is malformed (RFC 9113 §8.3.1)': replace(':path', '/a b'),
  'a :path with a fragment is malformed (RFC 9113 §8.3.1)': replace(':path', '/a#b'),
  'a :path with a control character is malformed (RFC 9113 §8.2.1)': replace(':path', '/a\x00b'),
  'an empty :method is malformed (RFC 9110 §9.1)': replace(':method', ''),
  'a :method that is no token is malformed (RFC 9110 §9.1)': replace(':method', 'GE T'),
  'a :scheme that is none is malformed (RFC 3986 §3.1)': replace(':scheme', '1http'),
  'an :authority with userinfo is malformed (RFC 9113 §8.3.1)': replace(':authority', 'u@example.org'),
  'an empty :authority is malformed (RFC 9110 §4.2.1)': replace(':authority', ''),
  'a host that differs from :authority is malformed (RFC 9113 §8.3.1)': [...GET, ['host', 'other.example']],
  'two host fields are malformed (RFC 9110 §7.2)': [...GET, ['host', 'example.org'], ['host', 'example.org']],
  'an upper-case field name is malformed (RFC 9113 §8.2.1)': [...GET, ['X-Upper', 'a']],
  'a field name with a space is malformed (RFC 9113 §8.2.1)': [...GET, ['a b', 'c']],
  'a field name with a colon inside is malformed (RFC 9113 §8.2.1)': [...GET, ['a:b', 'c']],
  'a field name with an octet above 0x7f is malformed (RFC 9113 §8.2.1)': [...GET, ['a\xffb', 'c']],
  'an empty field name is malformed (RFC 9113 §8.2.1)': [...GET, ['', 'c']],
  'a field value with CR is malformed (RFC 9113 §8.2.1)': [...GET, ['a', 'b\rc']],
  'a field value with LF is malformed (RFC 9113 §8.2.1)': [...GET, ['a', 'b\nc']],
  'a field value with NUL is malformed (RFC 9113 §8.2.1)': [...GET, ['a', 'b\0c']],
  'a field value that begins with a space is malformed (RFC 9113 §8.2.1)': [...GET, ['a', ' b']],
  'a field value that ends with a tab is malformed (RFC 9113 §8.2.1)': [...GET, ['a', 'b\t']],
  'connection is malformed (RFC 9113 §8.2.2)': [...GET, ['connection', 'close']],
  'keep-alive is malformed (RFC 9113 §8.2.2)': [...GET, ['keep-alive', '5']],
  'proxy-connection is malformed (RFC 9113 §8.2.2)': [...GET, ['proxy-connection', 'close']],
  'transfer-encoding is malformed (RFC 9113 §8.2.2)': [...GET, ['transfer-encoding', 'chunked']],
  'upgrade is malformed (RFC 9113 §8.2.2)': [...GET, ['upgrade', 'h2c']],
  'te other than trailers is malformed (RFC 9113 §8.2.2)': [...GET, ['te', 'trailers, gzip']],
  'a content-length that is no number is malformed (RFC 9110 §8.6)': [...GET, ['content-length', '0x1']],
  'a negative content-length is malformed (RFC 9110 §8.6)': [...GET, ['content-length', '-1']],
  'two content-lengths are malformed (RFC 9110 §8.6)': [
    ...GET,
    ['content-length', '0'],
    ['content-length', '0'],
  ],
  'a content-length without content is malformed (RFC 9113 §8.1.1)': [...GET, ['content-length', '1']],
  'CONNECT with :path is malformed (RFC 9113 §8.5)': [[':method', 'CONNECT'], ...GET.slice(2)],
  'CONNECT with :scheme is malformed (RFC 9113 §8.5)': [[':method', 'CONNECT'], ...GET.slice(1, 3)],
  'CONNECT without :authority is malformed (RFC 9113 §8.5)': [[':method', 'CONNECT']],
  'CONNECT without a port is malformed (RFC 9110 §9.3.6)': [
    [':method', 'CONNECT'],
    [':authority', 'a.example'],
  ],
  'CONNECT to no host is malformed (RFC 9110 §9.3.6)': [
    [':method', 'CONNECT'],
    [':authority', ':80'],
  ],
  ':protocol without CONNECT is malformed (RFC 8441 §4)': [...GET, [':protocol', 'websocket']],
  'extended CONNECT without :path is malformed (RFC 8441 §4)': EXTENDED.slice(0, -1),
  'a block without fields is malformed (RFC 9113 §8.3.1)': [],
})) {
  malformed(why, fields);
}

/** Octets that RFC 9113 §8.2.1 forbids in field names; the others that are no token (RFC 9110 §5.1) are refused as well. */
const FORBIDDEN_IN_NAMES = (octet: number): boolean =>
  octet <= 0x20 || (octet >= 0x41 && octet <= 0x5a) || octet >= 0x7f || octet === 0x3a;
test('every octet that a field name must not have makes a request malformed, inside and first (RFC 9113 §8.2.1)', () => {
  for (let octet = 0; octet < 256; octet++) {
    if (!FORBIDDEN_IN_NAMES(octet)) continue;
    for (const name of [`a${String.fromCharCode(octet)}b`, `${String.fromCharCode(octet)}b`]) {
      const peer = Peer.ready().send(request(1, [name, 'c']));
      assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR, `octet ${octet}`);
    }
  }
});
test('NUL, CR and LF at any position of a value, and white space at its ends, make a request malformed (RFC 9113 §8.2.1)', () => {
  const anywhere = ['\0', '\r', '\n'].flatMap((bad) => [bad, `${bad}ab`, `a${bad}b`, `ab${bad}`]);
  const atEnds = [' ', '\t'].flatMap((bad) => [bad, `${bad}ab`, `ab${bad}`]);
  for (const value of [...anywhere, ...atEnds]) {
    const peer = Peer.ready().send(request(1, ['x', value]));
    assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR, JSON.stringify(value));
  }
  const spaced = Peer.ready().send(request(1, ['x', 'a b\tc']));
  assert.deepEqual(spaced.heads()[0]?.fields.slice(0, 2), ['x', 'a b\tc']);
});
test('fields of extended CONNECT that WebSocket has in HTTP/1.1 only are malformed (RFC 8441 §5)', () => {
  for (const name of ['connection', 'upgrade']) {
    const peer = Peer.ready().send(headers([...EXTENDED, [name, 'upgrade']], false));
    assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
  }
});

test('what is malformed from the dynamic table is so each time', () => {
  const peer = Peer.ready();
  const bad = Buffer.concat([block(...GET), Buffer.from([0x40, 1, 0x61, 1, 0x0a])]);
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, bad));
  peer.send(
    frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3, Buffer.concat([block(...GET), Buffer.from([0xbe])])),
  );
  // The name alone is good.
  const name = Buffer.from([0x0f, 0x2f, 1, 0x62]);
  peer.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 5, Buffer.concat([block(...GET), name])));
  assert.deepEqual(peer.events, ['head 5']);
  assert.deepEqual(peer.heads()[0]?.fields.slice(0, 2), ['a', 'b']);
});

eachWay('DATA beyond content-length is a stream error (RFC 9113 §8.1.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(post(1, ['content-length', '3']), data(1, 'ab'), data(1, 'cd'));
  assert.deepEqual(peer.events, ['head 1', 'data 1', 'reset 1']);
  assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
});
eachWay('a content-length of 0 allows no DATA, and may stand without it (RFC 9113 §8.1.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(post(1, ['content-length', '0']), data(1, 'x'));
  assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
  peer.send(request(3, ['content-length', '0']));
  assert.equal(peer.events.at(-1), 'head 3');
});
eachWay('an end before content-length is a stream error (RFC 9113 §8.1.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(post(1, ['content-length', '3']), data(1, 'ab', true));
  assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
  assert.ok(!peer.events.includes('end 1'));
  peer.send(post(3, ['content-length', '3']), data(3, 'ab'), trailers(3, ['x', 'y']));
  assert.equal(peer.resetCode(3), CODE.PROTOCOL_ERROR);
});
eachWay('DATA of exactly content-length is delivered (RFC 9113 §8.1.1)', (feed) => {
  const peer = Peer.ready({}, feed).send(post(1, ['content-length', '3']), data(1, 'ab'), data(1, 'c', true));
  assert.deepEqual(peer.events, ['head 1', 'data 1', 'data 1', 'end 1']);
  peer.send(post(3, ['content-length', '0']), data(3, '', true));
  assert.deepEqual(peer.events.slice(4), ['head 3', 'end 3']);
});

// --- Trailers (§8.1) ---
function trailers(id: number, ...fields: readonly Field[]): Buffer {
  return frame(TYPE.HEADERS, END_HEADERS | END_STREAM, id, block(...fields));
}
eachWay(
  'trailers end a request; those that may not stand there are dropped (RFC 9113 §8.1, RFC 9110 §6.5.1)',
  (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(post(1), data(1, 'ab'), trailers(1, ['x-sum', '7'], ['content-length', '9'], ['host', 'a']));
    assert.deepEqual(peer.seen.at(-1), { event: 'end', id: 1, trailers: ['x-sum', '7'] });
    peer.send(post(3), trailers(3));
    assert.deepEqual(peer.seen.at(-1), { event: 'end', id: 3, trailers: [] });
  },
);
for (const [name, bytes] of Object.entries({
  'trailers without END_STREAM are malformed (RFC 9113 §8.1)': frame(
    TYPE.HEADERS,
    END_HEADERS,
    1,
    block(['a', 'b']),
  ),
  'a pseudo-field in trailers is malformed (RFC 9113 §8.1)': trailers(1, [':path', '/']),
  'a connection-specific field in trailers is malformed (RFC 9113 §8.2.2)': trailers(1, ['connection', 'a']),
})) {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed).send(post(1), data(1, 'x'), bytes);
    assert.equal(peer.resetCode(1), CODE.PROTOCOL_ERROR);
    assert.deepEqual(peer.events, ['head 1', 'data 1', 'reset 1']);
  });
}
