// Opens connections to a server and leaves them alone, to see what each costs it. Arguments: kind, port, number of
// connections (of requests, for `held`). Prints `open` when all have had their answer, and stays until it is ended.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Opened at the same time: fewer than the backlog of any server. */
const AT_ONCE = 100;
const STREAMS = 100;

/** What is sent on a connection, and how its answer is known to be complete and right. */
interface Kind {
  readonly request: Buffer;
  /** Null: no answer is waited for. */
  readonly isAnswered: ((received: Buffer) => boolean) | null;
  readonly requestsPerConnection: number;
}

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM_AND_HEADERS = 5;
const ACK = 1;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A literal without indexing (RFC 7541 §6.2.2), of an indexed name below 15 and a value below 127 octets. */
function literal(name: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([name, value.length]), Buffer.from(value)]);
}

/** HEADERS of a GET: :method GET, :scheme http and :path / have an index of their own in the static table. */
function getFrame(streamId: number, path: string): Buffer {
  const field = path === '/' ? Buffer.from([0x84]) : literal(4, path);
  const block = Buffer.concat([Buffer.from([0x82, 0x86]), field, literal(1, '127.0.0.1')]);
  return frame(HEADERS, END_STREAM_AND_HEADERS, streamId, block);
}

const openHttp2 = Buffer.concat([
  PREFACE,
  frame(SETTINGS, 0, 0, Buffer.alloc(0)),
  frame(SETTINGS, ACK, 0, Buffer.alloc(0)),
]);

/** Whether the frames hold HEADERS with :status 200, which has an index, and the end of that stream. */
function isHttp2Answer(received: Buffer): boolean {
  let isStatus200 = false;
  let isEnded = false;
  for (let at = 0; at + 9 <= received.length;) {
    const length = received.readUIntBE(at, 3);
    const payload = received.subarray(at + 9, at + 9 + length);
    if (payload.length < length) break;
    const type = received[at + 3] ?? 0;
    if (type === HEADERS) isStatus200 = payload.includes(0x88);
    if (type <= HEADERS) isEnded ||= ((received[at + 4] ?? 0) & 1) === 1;
    at += 9 + length;
  }
  return isStatus200 && isEnded;
}

const http1 = (path: string, ...fields: readonly string[]): Buffer =>
  Buffer.from([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...fields, '', ''].join('\r\n'));

const handshake = http1(
  '/',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
);

const heldStreams = Array.from({ length: STREAMS }, (_, index) => getFrame(2 * index + 1, '/hold'));

const KINDS: Readonly<Record<string, Kind>> = {
  http1: {
    request: http1('/'),
    isAnswered: (received) => /^HTTP\/1\.1 200 [^]*Hello, World!$/.test(received.toString('latin1')),
    requestsPerConnection: 1,
  },
  http2: {
    request: Buffer.concat([openHttp2, getFrame(1, '/')]),
    isAnswered: isHttp2Answer,
    requestsPerConnection: 1,
  },
  websocket: {
    request: handshake,
    isAnswered: (received) => received.toString('latin1').startsWith('HTTP/1.1 101 '),
    requestsPerConnection: 1,
  },
  'held-http1': { request: http1('/hold'), isAnswered: null, requestsPerConnection: 1 },
  'held-http2': {
    request: Buffer.concat([openHttp2, ...heldStreams]),
    isAnswered: null,
    requestsPerConnection: STREAMS,
  },
};

const sockets: Socket[] = [];

async function open(kind: Kind, port: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(kind.request);
  // A server that closes what was left alone has not kept it: its memory says nothing.
  socket.once('close', () => fail('the server has closed a connection'));
  const { isAnswered } = kind;
  let received = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('data', (chunk) => {
    if (isAnswered === null) return;
    received = Buffer.concat([received, chunk]);
    if (!isAnswered(received)) return;
    received = Buffer.alloc(0);
    resolve();
  });
  if (isAnswered !== null) await promise;
}

function fail(reason: string): void {
  console.log(`failed: ${reason}`);
  process.exit(1);
}

const [, , name = '', port = '', count = ''] = process.argv;
const kind = KINDS[name];
if (kind === undefined) throw new Error(`no kind of connections ${name}`);
let left = Number(count) / kind.requestsPerConnection;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (left > 0) {
      left -= 1;
      await open(kind, Number(port));
    }
  }),
);
console.log('open');
