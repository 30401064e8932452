// The order of things at a receiver: pipelining, release, back-pressure, end of input, upgrade, HTTP/2.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_HTTP1_LIMITS } from '../../../src/protocol/http1/limits.ts';
import { type Http1Events, Http1Receiver } from '../../../src/protocol/http1/receiver.ts';
import { assertFault, chunkedRequest, deliver, receiveAll, requestWith } from './deliveries.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (body: string): string => `${requestWith(`Content-Length: ${body.length}`)}${body}`;
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** A receiver and a list of what it said; `on` hears each entry when it is made. */
function record(on: (entry: string, receiver: Http1Receiver) => void = () => {}): {
  receiver: Http1Receiver;
  seen: string[];
} {
  const seen: string[] = [];
  const add = (entry: string): void => {
    seen.push(entry);
    on(entry, receiver);
  };
  const events: Http1Events = {
    receiveHead: (head) => add(`head ${head.path}`),
    receiveData: (data) => add(`data ${data.toString('latin1')}`),
    receiveEnd: (trailers) => add(`end${trailers.join(' ')}`),
    receiveFault: (fault) => add(`fault ${fault.code}`),
    receiveHttp2Preface: (rest) => add(`preface ${rest.length}`),
  };
  const receiver: Http1Receiver = new Http1Receiver(DEFAULT_HTTP1_LIMITS, events);
  return { receiver, seen };
}

test('every request has a head and an end, in this order', () => {
  const { receiver, seen } = record();
  assert.equal(receiver.phase, 'idle');
  receiver.receive(bytes(get('/1')));
  assert.deepEqual(seen, ['head /1', 'end']);
  assert.equal(receiver.phase, 'waiting');
});

test('the next request is not parsed before it is released (RFC 9112 §9.3.2)', () => {
  const { receiver, seen } = record();
  receiver.receive(bytes(get('/1') + get('/2') + get('/3')));
  assert.deepEqual(seen, ['head /1', 'end']);
  assert.equal(receiver.bufferedBytes, 2 * get('/1').length);
  receiver.releaseNext();
  assert.deepEqual(seen.slice(2), ['head /2', 'end']);
  receiver.releaseNext();
  assert.deepEqual(seen.slice(4), ['head /3', 'end']);
  assert.deepEqual([receiver.phase, receiver.bufferedBytes], ['waiting', 0]);
  receiver.releaseNext();
  assert.equal(receiver.phase, 'idle');
});

test('what comes while a request waits is kept, and does not change with the memory that it came in', () => {
  const { receiver, seen } = record();
  const chunk = bytes(get('/1') + get('/2'));
  receiver.receive(chunk);
  chunk.fill(0);
  for (const byte of bytes(get('/3').repeat(200))) receiver.receive(Buffer.of(byte));
  for (let i = 0; i < 201; i++) receiver.releaseNext();
  assert.deepEqual(seen.slice(0, 6), ['head /1', 'end', 'head /2', 'end', 'head /3', 'end']);
  assert.equal(seen.length, 404);
});

for (const event of ['head /', 'data x', 'end']) {
  test(`a release from inside of "${event}" lets the next request be parsed by the same loop`, () => {
    let depth = 0;
    let deepest = 0;
    const { receiver, seen } = record((entry, self) => {
      depth++;
      deepest = Math.max(deepest, depth);
      if (entry === event) self.releaseNext();
      depth--;
    });
    receiver.receive(bytes(post('x').repeat(3)));
    assert.deepEqual(seen, ['head /', 'data x', 'end', 'head /', 'data x', 'end', 'head /', 'data x', 'end']);
    assert.equal(deepest, 1);
    assert.equal(receiver.phase, 'idle');
  });
}

test('thousands of pipelined requests need no stack', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'end') self.releaseNext();
  });
  receiver.receive(bytes(get('/').repeat(20_000)));
  assert.equal(seen.length, 40_000);
});

test('a release between requests does nothing', () => {
  const { receiver, seen } = record();
  receiver.releaseNext();
  receiver.receive(bytes('GET'));
  receiver.releaseNext();
  receiver.receive(bytes(`${get('/1').slice(3)}${get('/2')}`));
  assert.deepEqual(seen, ['head /1', 'end']);
});

test('a release counts for one request only', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'head /1') {
      self.releaseNext();
      self.releaseNext();
    }
  });
  receiver.receive(bytes(get('/1') + get('/2') + get('/3')));
  assert.deepEqual(seen, ['head /1', 'end', 'head /2', 'end']);
});

test('nothing is delivered while paused', () => {
  const { receiver, seen } = record();
  receiver.pause();
  receiver.receive(bytes(get('/1')));
  assert.deepEqual(seen, []);
  assert.equal(receiver.bufferedBytes, get('/1').length);
  receiver.resume();
  assert.deepEqual(seen, ['head /1', 'end']);
});

for (const [event, rest] of [
  ['head /', ['data a', 'data b', 'end']],
  ['data a', ['data b', 'end']],
  ['data b', ['end']],
] as const) {
  test(`a pause from inside of "${event}" stops the loop after it`, () => {
    const { receiver, seen } = record((entry, self) => {
      if (entry === event) self.pause();
    });
    const request = chunkedRequest('1\r\na\r\n1\r\nb\r\n0\r\n\r\n');
    const chunk = bytes(request);
    receiver.receive(chunk);
    chunk.fill(0);
    assert.equal(seen.at(-1), event);
    assert.equal(receiver.phase, 'body');
    receiver.resume();
    assert.deepEqual(seen.slice(-rest.length), rest);
    assert.equal(receiver.phase, 'waiting');
  });
}

test('a pause in the head of a request without a body holds its end back', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'head /1') self.pause();
  });
  receiver.receive(bytes(get('/1')));
  assert.deepEqual([seen, receiver.phase, receiver.receiveEof()], [['head /1'], 'body', 'clean']);
  receiver.resume();
  assert.deepEqual([seen, receiver.phase], [['head /1', 'end'], 'waiting']);
});

test('a resume from inside of the event that paused goes on with the same loop', () => {
  const { receiver, seen } = record((_, self) => {
    self.pause();
    self.resume();
  });
  receiver.receive(bytes(post('xy')));
  assert.deepEqual(seen, ['head /', 'data xy', 'end']);
});

test('data are views of what was received', () => {
  const chunk = bytes(post('xyz'));
  const { receiver, seen } = record((entry) => {
    if (entry === 'head /') chunk.write('abc', chunk.length - 3, 'latin1');
  });
  receiver.receive(chunk);
  assert.equal(seen[1], 'data abc');
});

test('receive throws from inside of an event, and the receiver can go on', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'head /1') self.receive(bytes('x'));
  });
  assert.throws(() => receiver.receive(bytes(get('/1'))), /receive\(\) was called from an event/);
  receiver.resume();
  assert.deepEqual(seen, ['head /1', 'end']);
});

test('an error of the application goes through, and what was received after it is kept', () => {
  const { receiver, seen } = record((entry) => {
    if (entry === 'data x') throw new Error('application');
  });
  const chunk = bytes(post('x') + get('/2'));
  assert.throws(() => receiver.receive(chunk), /application/);
  chunk.fill(0);
  receiver.resume();
  receiver.releaseNext();
  assert.deepEqual(seen, ['head /', 'data x', 'end', 'head /2', 'end']);
});

test('the end of the input between requests is clean', () => {
  for (const [input, phase] of [
    ['', 'idle'],
    ['\r\n', 'idle'],
    ['\r', 'idle'],
    [get('/'), 'waiting'],
    [get('/') + get('/'), 'waiting'],
    ['\0', 'ended'],
  ] as const) {
    const { receiver } = record();
    receiver.receive(bytes(input));
    assert.deepEqual([receiver.receiveEof(), receiver.phase], ['clean', phase]);
  }
});

test('the end of the input inside of a request is not (RFC 9112 §8)', () => {
  const inputs = [
    'G',
    'PRI',
    get('/').slice(0, -1),
    post('xy').slice(0, -1),
    chunkedRequest(''),
    chunkedRequest('0\r\n\r'),
  ];
  for (const input of inputs) {
    const { receiver, seen } = record();
    receiver.receive(bytes(input));
    assert.deepEqual([receiver.receiveEof(), receiver.phase], ['incomplete', 'ended']);
    assert.equal(seen.filter((entry) => entry.startsWith('fault')).length, 0);
    assert.equal(receiver.receiveEof(), 'clean');
  }
});

test('an end that shows only when the kept input is read is a fault then', () => {
  const { receiver, seen } = record();
  receiver.receive(bytes(get('/1') + get('/2') + get('/3').slice(0, -1)));
  assert.equal(receiver.receiveEof(), 'clean');
  receiver.releaseNext();
  assert.deepEqual(seen.slice(2), ['head /2', 'end']);
  receiver.releaseNext();
  assert.deepEqual([seen.slice(4), receiver.phase], [['fault incomplete-request'], 'ended']);
});

test('an end while paused is clean where the kept input completes the request', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'head /') self.pause();
  });
  receiver.receive(bytes(post('xy')));
  assert.equal(receiver.receiveEof(), 'clean');
  receiver.resume();
  assert.deepEqual([seen.slice(1), receiver.phase], [['data xy', 'end'], 'waiting']);
});

test('an end while paused is a fault on resume where the kept input does not complete the request', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'head /' || entry === 'data x') self.pause();
  });
  receiver.receive(bytes(post('xy').slice(0, -1)));
  assert.equal(receiver.receiveEof(), 'clean');
  receiver.resume();
  assert.deepEqual([seen.slice(1), receiver.phase], [['data x'], 'body']);
  receiver.resume();
  assert.deepEqual([seen.slice(2), receiver.phase], [['fault incomplete-request'], 'ended']);
});

test('an end that is told from inside of an event is looked at after it', () => {
  const { receiver, seen } = record((entry, self) => {
    if (entry === 'data x') assert.equal(self.receiveEof(), 'clean');
  });
  receiver.receive(bytes(post('xy').slice(0, -1)));
  assert.equal(seen.at(-1), 'fault incomplete-request');
});

test('nothing is parsed after a fault', () => {
  const { receiver, seen } = record();
  receiver.receive(bytes(`\0${get('/')}`));
  receiver.receive(bytes(get('/')));
  receiver.releaseNext();
  receiver.resume();
  assert.deepEqual([seen, receiver.phase, receiver.bufferedBytes], [['fault method-malformed'], 'ended', 0]);
});

test('a fault behind complete requests comes after them', () => {
  const { receiver, seen } = record();
  receiver.receive(bytes(`${get('/1')}\0`));
  assert.deepEqual(seen, ['head /1', 'end']);
  receiver.releaseNext();
  assert.deepEqual(seen.slice(2), ['fault method-malformed']);
});

test('takeRest gives what follows an upgraded request, and ends the receiver', () => {
  const { receiver, seen } = record();
  const chunk = bytes(`${get('/1')}\x81\x00`);
  receiver.receive(chunk);
  chunk.fill(0);
  receiver.receive(bytes('\x82'));
  const rest = receiver.takeRest();
  assert.equal(rest.toString('latin1'), '\x81\x00\x82');
  assert.deepEqual([receiver.phase, receiver.bufferedBytes, receiver.takeRest().length], ['ended', 0, 0]);
  receiver.receive(bytes(get('/2')));
  receiver.releaseNext();
  assert.deepEqual(seen, ['head /1', 'end']);
});

for (const event of ['head /1', 'end']) {
  test(`takeRest from inside of "${event}" gives a copy, and no event follows`, () => {
    let rest: Buffer = Buffer.alloc(0);
    const { receiver, seen } = record((entry, self) => {
      if (entry === event) rest = self.takeRest();
    });
    const chunk = bytes(`${get('/1')}rest`);
    receiver.receive(chunk);
    chunk.fill(0);
    assert.equal(rest.toString('latin1'), 'rest');
    assert.equal(seen.at(-1), event);
    assert.equal(receiver.phase, 'ended');
  });
}

test('the preface of HTTP/2 is recognised as the first bytes, with what follows (RFC 9113 §3.4)', () => {
  assert.equal(receiveAll(PREFACE).preface, PREFACE);
  const { receiver, seen } = record();
  receiver.receive(bytes(`${PREFACE}\0\0\0`));
  receiver.receive(bytes(get('/')));
  assert.deepEqual([seen, receiver.phase], [[`preface ${PREFACE.length + 3}`], 'ended']);
});

test('a beginning of the preface is the head of something', () => {
  assert.deepEqual([receiveAll('P').phase, receiveAll(PREFACE.slice(0, -1)).phase], ['head', 'head']);
  assert.equal(receiveAll('POST / HTTP/1.1\r\nHost: a\r\n\r\n').requests[0]?.head.method, 'POST');
  assert.equal(receiveAll('PRI /x HTTP/1.1\r\nHost: a\r\n\r\n').requests[0]?.head.method, 'PRI');
});

test('anywhere else it is a request that cannot be answered', () => {
  assertFault(`\r\n${PREFACE}`, 'version-unsupported', 505);
  assertFault('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 'version-unsupported', 505);
  const { fault, requests } = receiveAll(get('/') + PREFACE);
  assert.deepEqual([fault?.code, requests.length], ['version-unsupported', 1]);
});

test('requests that repeat their header section, change it, and repeat it again are each read as sent', () => {
  const section = (value: string): string => `Host: a\r\nX: ${value}\r\nContent-Length: 1\r\n\r\n`;
  const values = [
    '1',
    '1',
    '1',
    '2',
    '2',
    '1',
    '2',
    '2',
    'longer',
    '2',
    'y'.repeat(3000),
    'y'.repeat(3000),
    'y'.repeat(3000),
  ];
  const requests = values.map((value, i) => `POST /${i} HTTP/1.1\r\n${section(value)}${i % 10}`);
  const seen = deliver([bytes(requests.join(''))]);
  assert.deepEqual(
    seen.requests.map(({ head, body }) => [head.path, head.fields[3], head.contentLength, body]),
    values.map((value, i) => [`/${i}`, value, 1, String(i % 10)]),
  );
});

test('a repeated header section is judged with its own request line', () => {
  const once = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  const without = once.repeat(3);
  assert.equal(
    receiveAll(`${without}GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n`).fault?.code,
    'host-missing',
  );
  const long = `GET /${'a'.repeat(20)} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`;
  const { fault, requests } = receiveAll(without + long, { maxHeadBytes: once.length });
  assert.deepEqual([fault?.code, fault?.partial?.method, requests.length], ['head-too-large', 'GET', 3]);
});

test('a repeated header section gives each absolute-form target its own host', () => {
  const heads = ['http://b/', '/', 'http://c/', '/'].map(
    (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  const { requests } = deliver([bytes(heads.join(''))]);
  assert.deepEqual(
    requests.map(({ head }) => head.fields[1]),
    ['b', 'a', 'c', 'a'],
  );
});

test('an idle receiver keeps no input', () => {
  const { receiver } = record((entry, self) => {
    if (entry === 'end') self.releaseNext();
  });
  for (const byte of bytes(get('/').repeat(3))) receiver.receive(Buffer.of(byte));
  receiver.receive(Buffer.alloc(0));
  assert.deepEqual([receiver.phase, receiver.bufferedBytes], ['idle', 0]);
});
