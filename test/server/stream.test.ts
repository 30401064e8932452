// The interpreter of stream commands over a channel that only writes down what it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestHead } from '../../src/protocol/http/request-head.ts';
import type { Observation } from '../../src/observe/observation.ts';
import type { Command, Commands } from '../../src/server/command.ts';
import type { BadField, StreamChannel } from '../../src/server/stream-channel.ts';
import {
  DRAINED,
  type StreamEnd,
  type StreamHandle,
  type StreamHandlerFactory,
} from '../../src/server/stream-handler.ts';
import { Stream } from '../../src/server/stream.ts';

class Recorder implements StreamChannel {
  readonly said: string[] = [];
  writable = true;
  bad: BadField | null = null;
  #note(text: string): null {
    this.said.push(text);
    return null;
  }
  sendInform(status: number): BadField | null {
    return this.#note(`inform ${status}`);
  }
  sendResponse(status: number, fields: readonly string[], body: Buffer | string | null): BadField | null {
    if (this.bad !== null && fields.includes(this.bad.name)) return this.bad;
    return this.#note(`response ${status} ${body === null ? '' : body.toString()}`.trim());
  }
  sendHead(status: number, _fields: readonly string[], length: number | null): BadField | null {
    return this.#note(`head ${status} ${length}`);
  }
  sendData(data: Buffer): void {
    this.#note(`data ${data.toString()}`);
  }
  sendEnd(trailers: readonly string[]): void {
    this.#note(`end ${trailers.join(':')}`.trim());
  }
  switchProtocol(protocol: string, fields: readonly string[]): BadField | number {
    if (this.bad !== null && fields.includes(this.bad.name)) return this.bad;
    this.#note(`switch ${protocol}`);
    return 101;
  }
  push(path: string): boolean {
    this.#note(`push ${path}`);
    return true;
  }
  sendReset(): void {
    this.#note('reset');
  }
  allowBody(bytes: number): void {
    this.#note(`allow ${bytes}`);
  }
  setOptions(options: { idleTimeoutMs?: number }): void {
    this.#note(`options ${options.idleTimeoutMs}`);
  }
  finish(): void {
    this.#note('finish');
  }
}

const HEAD: RequestHead = {
  method: 'GET',
  authority: 'h',
  path: '/p',
  query: 'q',
  version: '1.1',
  fields: [],
  hasBody: true,
  contentLength: 3,
  expectContinue: false,
};
const CONNECTION = {
  scheme: 'http',
  listenerId: 1,
  peerAddress: '192.0.2.1',
  peerPort: 9,
  localAddress: '192.0.2.2',
  localPort: 80,
  clientCertificate: null,
  proxy: null,
} as const;
const fields: readonly string[] = [];

interface Script {
  init?: (stream: StreamHandle) => Commands;
  data?: (chunk: Buffer) => Commands;
  end?: () => Commands;
  info?: (message: unknown) => Commands;
  terminate?: (end: StreamEnd) => void;
}

function scripted(script: Script): StreamHandlerFactory {
  return {
    open: (stream) => ({
      init: () => script.init?.(stream) ?? null,
      data: (chunk) => script.data?.(chunk) ?? null,
      end: () => script.end?.() ?? null,
      info: (message) => script.info?.(message) ?? null,
      terminate: (end) => script.terminate?.(end),
    }),
  };
}

function open(script: Script, head: RequestHead = HEAD, ...outer: StreamHandlerFactory[]) {
  const channel = new Recorder();
  const observations: Observation[] = [];
  const [first, ...rest] = [...outer, scripted(script)] as const;
  const stream = new Stream(
    { handlers: [first, ...rest], observer: { observe: (o) => observations.push(o) }, observeRequests: true },
    channel,
    CONNECTION,
    head,
  );
  stream.open();
  return { stream, channel, observations };
}

const response = (status: number, body: string | null = null, names = fields): Command => ({
  kind: 'response',
  status,
  fields: names,
  body,
});

test('a whole response ends the stream, and what comes after it is dropped', () => {
  const ends: StreamEnd[] = [];
  const { stream, channel } = open({
    init: () => [response(200, 'a'), response(201)],
    terminate: (end) => ends.push(end),
  });
  stream.cast(response(202));
  stream.receiveData(Buffer.from('x'));
  stream.receiveEnd([]);
  stream.receiveReset();
  assert.deepEqual(channel.said, ['response 200 a', 'finish']);
  assert.deepEqual(ends, ['answered']);
});

test('a streamed response is a head, data and an end with trailers', () => {
  const { channel } = open({
    init: () => [
      { kind: 'inform', status: 103, fields },
      { kind: 'headers', status: 200, fields },
      { kind: 'data', data: Buffer.from('a'), last: false },
      { kind: 'inform', status: 103, fields },
      { kind: 'trailers', fields: ['t', '1'] },
    ],
  });
  assert.deepEqual(channel.said, ['inform 103', 'head 200 null', 'data a', 'end t:1', 'finish']);
});

test('more data than the announced content-length is never sent, less resets the stream', () => {
  const length = ['content-length', '2'];
  const head: Command = { kind: 'headers', status: 200, fields: length };
  const data = (text: string, last: boolean): Command => ({ kind: 'data', data: Buffer.from(text), last });
  const more = open({ init: () => [head, data('ab', false), data('c', true)] });
  assert.deepEqual(more.channel.said, ['head 200 2', 'data ab', 'reset', 'finish']);
  const less = open({ init: () => [head, data('a', true)] });
  assert.deepEqual(less.channel.said, ['head 200 2', 'data a', 'reset', 'finish']);
  const exact = open({ init: () => [head, data('ab', true)] });
  assert.deepEqual(exact.channel.said, ['head 200 2', 'data ab', 'end', 'finish']);
  const forHead = open({ init: () => [head, data('', true)] }, { ...HEAD, method: 'HEAD' });
  assert.deepEqual(forHead.channel.said, ['head 200 2', 'end', 'finish']);
});

test('a throw in any callback is a 500 with the request id, or a reset once the response was begun', () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  const atInit = open({ init: boom });
  assert.match(atInit.channel.said[0] ?? '', /^response 500 500 Internal Server Error\nrequest \S+$/);
  assert.ok(atInit.observations.some((o) => o.kind === 'internal-error'));
  const atData = open({ init: () => ({ kind: 'headers', status: 200, fields }), data: boom });
  atData.stream.receiveData(Buffer.from('x'));
  assert.deepEqual(atData.channel.said, ['head 200 null', 'reset', 'finish']);
  const atEnd = open({ end: boom });
  atEnd.stream.receiveEnd([]);
  assert.match(atEnd.channel.said[0] ?? '', /^response 500/);
  const atInfo = open({ info: boom });
  atInfo.stream.cast('hello');
  assert.match(atInfo.channel.said[0] ?? '', /^response 500/);
  const atTerminate = open({ init: () => response(204), terminate: boom });
  assert.deepEqual(atTerminate.channel.said, ['response 204', 'finish']);
});

test('an error response replaces the 500 that is sent when the handlers fail', () => {
  const { channel } = open({
    init: () => [
      { kind: 'error-response', status: 503, fields, body: 'later' },
      { kind: 'internal-error', where: 'test', error: null },
    ],
  });
  assert.deepEqual(channel.said, ['response 503 later', 'finish']);
});

test('a field that must not go on the wire makes the response a 500', () => {
  const { stream, channel, observations } = open({});
  channel.bad = { name: 'x', reason: 'CR' };
  stream.cast('ignored');
  const bad = open({ info: () => response(200, 'a', ['x', '1\r\n']) });
  bad.channel.bad = { name: 'x', reason: 'CR in its value' };
  bad.stream.cast('go');
  assert.match(bad.channel.said[0] ?? '', /^response 500/);
  const error = bad.observations.find((o) => o.kind === 'internal-error');
  assert.match(String(error?.kind === 'internal-error' && error.error), /"x": CR in its value/);
  assert.deepEqual(observations, []);
});

test('abort ends the stream without an answer', () => {
  const ends: StreamEnd[] = [];
  const { channel, observations } = open({
    init: () => ({ kind: 'abort' }),
    terminate: (end) => ends.push(end),
  });
  assert.deepEqual(channel.said, ['reset', 'finish']);
  assert.deepEqual(ends, ['aborted']);
  assert.deepEqual(
    observations.map((o) => o.kind === 'request-done' && [o.status, o.end, o.target]),
    [[0, 'aborted', '/p?q']],
  );
});

test('stop answers 204, or ends what was begun', () => {
  assert.deepEqual(open({ init: () => ({ kind: 'stop' }) }).channel.said, ['response 204', 'finish']);
  const begun = open({ init: () => [{ kind: 'headers', status: 200, fields }, { kind: 'stop' }] });
  assert.deepEqual(begun.channel.said, ['head 200 null', 'end', 'finish']);
});

test('data and ends without a head, and a second head, are failures of the handler', () => {
  const early = open({ init: () => ({ kind: 'data', data: Buffer.from('x'), last: true }) });
  assert.match(early.channel.said[0] ?? '', /^response 500/);
  const end = open({ init: () => ({ kind: 'trailers', fields }) });
  assert.match(end.channel.said[0] ?? '', /^response 500/);
  const head: Command = { kind: 'headers', status: 200, fields };
  assert.deepEqual(open({ init: () => [head, head] }).channel.said, ['head 200 null', 'reset', 'finish']);
  assert.deepEqual(open({ init: () => [head, response(200)] }).channel.said, [
    'head 200 null',
    'reset',
    'finish',
  ]);
});

test('a message cast inside a callback arrives after it, in order', () => {
  const seen: unknown[] = [];
  const { channel } = open({
    init: (stream) => {
      stream.cast(1);
      stream.cast(2);
      seen.push('init');
      return null;
    },
    info: (message) => {
      seen.push(message);
      return message === 2 ? response(200) : null;
    },
  });
  assert.deepEqual(seen, ['init', 1, 2]);
  assert.deepEqual(channel.said, ['response 200', 'finish']);
});

test('flow, options and log reach the channel and the observers', () => {
  const { channel, observations } = open({
    init: () => [
      { kind: 'flow', bytes: 7 },
      { kind: 'set-options', idleTimeoutMs: 9 },
      { kind: 'log', message: 'm', detail: 'd' },
    ],
  });
  assert.deepEqual(channel.said, ['allow 7', 'options 9']);
  assert.deepEqual(
    observations.map((o) => o.kind === 'handler-warning' && [o.message, o.detail]),
    [['m', 'd']],
  );
});

test('an outer stream handler sees every event and may rewrite every command', () => {
  const seen: string[] = [];
  const outer: StreamHandlerFactory = {
    open(_stream, next) {
      const inner = next();
      const louder = (commands: Commands): Commands => {
        const list = commands === null ? [] : [commands].flat();
        return list.map((c) => (c.kind === 'response' ? { ...c, body: String(c.body).toUpperCase() } : c));
      };
      return {
        init: () => louder(inner.init()),
        data: (chunk) => {
          seen.push(`data ${chunk.toString()}`);
          return louder(inner.data(chunk));
        },
        end: (trailers) => {
          seen.push('end');
          return louder(inner.end(trailers));
        },
        info: (message) => {
          seen.push(`info ${String(message)}`);
          return louder(inner.info(message));
        },
        terminate: (end) => {
          seen.push(end);
          inner.terminate(end);
        },
      };
    },
  };
  const { stream, channel } = open(
    { info: (m) => (m === 'go' ? response(200, 'quiet') : null) },
    HEAD,
    outer,
  );
  stream.receiveData(Buffer.from('b'));
  stream.receiveEnd([]);
  stream.receiveDrain();
  stream.cast('go');
  assert.deepEqual(channel.said, ['response 200 QUIET', 'finish']);
  assert.deepEqual(seen, ['data b', 'end', `info ${String(DRAINED)}`, 'info go', 'answered']);
});

test('a client that leaves ends the stream, and its handler hears of it once', () => {
  const ends: StreamEnd[] = [];
  const { stream, channel } = open({ terminate: (end) => ends.push(end) });
  stream.receiveReset();
  stream.receiveReset();
  assert.deepEqual(ends, ['client-left']);
  assert.deepEqual(channel.said, ['finish']);
});

test('a switch of protocols ends the stream; after a head it is a failure of the handler, with a bad field a 500', () => {
  const ends: StreamEnd[] = [];
  const to = (names = fields): Command => ({
    kind: 'switch-protocol',
    protocol: 'chat',
    fields: names,
    takeOver: () => assert.fail('taken over'),
  });
  const { channel, observations } = open({ init: () => to(), terminate: (end) => ends.push(end) });
  assert.deepEqual(channel.said, ['switch chat', 'finish']);
  assert.deepEqual(ends, ['answered']);
  assert.ok(observations.some((seen) => seen.kind === 'request-done' && seen.status === 101));
  const late = open({ init: () => [{ kind: 'headers', status: 200, fields }, to()] });
  assert.deepEqual(late.channel.said, ['head 200 null', 'reset', 'finish']);
  const bad = open({ info: () => to(['x', 'y']) });
  bad.channel.bad = { name: 'x', reason: 'bad' };
  bad.stream.cast('now');
  assert.match(bad.channel.said[0] ?? '', /^response 500/);
});
