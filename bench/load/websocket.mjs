// Loads a WebSocket server over raw sockets with frames that are made before: no WebSocket client is fast enough not to be what is
// measured. Run by Bun, whose sockets cost less than Node's. Prints one line of JSON.
//
//   { port, mode, connections, inFlight, bytes, binary, deflate, warmUpSeconds, seconds }
//
// mode `echo`: each connection keeps `inFlight` messages on their way; a message counts when it is back, with the size that the first one
// of its connection had (deflated: that any had that the check before inflated to the message). mode `fanout`: the first connection sends
// a message that the server sends to all the others; the next one follows when all of them have it. mode `idle`: opens and waits.
import { deflateRawSync, inflateRawSync, constants } from 'node:zlib';

const options = JSON.parse(process.argv[2]);
const { port, mode, connections, inFlight = 1, bytes = 64, binary = false, deflate = false } = options;

const text = JSON.stringify({
  at: '2026-01-01T00:00:00.000Z',
  who: 'somebody',
  said: 'lorem ipsum dolor sit amet, ',
})
  .repeat(Math.ceil(bytes / 90))
  .slice(0, bytes);
const message = binary ? Buffer.alloc(bytes, 'binary') : Buffer.from(text.padEnd(bytes, '.'));

/** A client's frame, masked. */
function frame(payload, first) {
  const long = payload.length > 65535 ? 8 : payload.length > 125 ? 2 : 0;
  const head = Buffer.alloc(2 + long + 4);
  head[0] = first;
  head[1] = 0x80 | (long === 0 ? payload.length : long === 2 ? 126 : 127);
  if (long === 2) head.writeUInt16BE(payload.length, 2);
  if (long === 8) head.writeBigUInt64BE(BigInt(payload.length), 2);
  const key = Buffer.from([0x12, 0x9a, 0x56, 0xde]);
  key.copy(head, 2 + long);
  return Buffer.concat([head, payload.map((byte, i) => byte ^ key[i & 3])]);
}

/** Without context takeover, so that the same bytes are right each time. */
const packed = () => deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const one = frame(deflate ? packed() : message, (binary ? 0x82 : 0x81) | (deflate ? 0x40 : 0));
const batch = Buffer.concat(Array.from({ length: inFlight }, () => one));

let measuring = false;
let messages = 0;
const latencies = [];
let failure = null;
let open = 0;
const fail = (reason) => {
  failure ??= reason;
  finish.resolve();
};
const finish = Promise.withResolvers();
const allOpen = Promise.withResolvers();
/** Of a fan-out: how many have it, and since when it is on its way. */
let waitingFor = 0;
let sentAt = 0;
let publisher = null;

function publish() {
  waitingFor = connections - 1;
  sentAt = performance.now();
  write(publisher, one);
}

function write(socket, data) {
  const { state } = socket.data;
  if (state.backlog !== null) {
    state.backlog = Buffer.concat([state.backlog, data]);
    return;
  }
  const written = socket.write(data);
  if (written < data.length) state.backlog = data.subarray(Math.max(0, written));
}

/** How many whole frames there are from what is left of the last read on; keeps the rest. */
function countFrames(state, chunk) {
  let count = 0;
  let at = 0;
  const end = chunk.length;
  if (state.skip > 0) {
    const skipped = Math.min(state.skip, end);
    state.skip -= skipped;
    at = skipped;
    if (state.skip > 0) return 0;
    count += 1;
  }
  while (at < end) {
    // A head that is cut is put together with the next read.
    const short = chunk[at + 1] & 0x7f;
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (end - at < 2 || end - at < headBytes) {
      state.rest = Buffer.from(chunk.subarray(at));
      break;
    }
    if (chunk[at] !== state.first) {
      if ((chunk[at] & 0x0f) === 9) {
        at += headBytes + short;
        continue;
      }
      fail(`a frame begins with ${chunk[at].toString(16)}, not ${state.first.toString(16)}`);
      return 0;
    }
    const length =
      short < 126
        ? short
        : short === 126
          ? chunk.readUInt16BE(at + 2)
          : Number(chunk.readBigUInt64BE(at + 2));
    if (!deflate && length !== bytes) {
      fail(`a message has ${length} bytes, not ${bytes}`);
      return 0;
    }
    if (state.check) {
      const payload = chunk.subarray(at + headBytes, at + headBytes + length);
      if (payload.length < length) {
        state.rest = Buffer.from(chunk.subarray(at));
        break;
      }
      const tail = Buffer.from([0, 0, 0xff, 0xff]);
      const plain = deflate
        ? inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH })
        : payload;
      if (!plain.equals(message)) {
        fail('the message came back changed');
        return 0;
      }
      state.check = false;
    }
    const left = end - at - headBytes;
    if (left < length) {
      state.skip = length - left;
      break;
    }
    at += headBytes + length;
    count += 1;
  }
  return count;
}

function receive(socket, state, chunk) {
  if (state.rest !== null) {
    chunk = Buffer.concat([state.rest, chunk]);
    state.rest = null;
  }
  const count = countFrames(state, chunk);
  if (count === 0) return;
  if (mode === 'echo') {
    if (measuring) {
      messages += count;
      if (inFlight === 1) {
        const now = performance.now();
        if ((messages & 15) === 0) latencies.push((now - state.sentAt) * 1000);
        state.sentAt = now;
      }
    } else if (inFlight === 1) state.sentAt = performance.now();
    write(socket, count === inFlight ? batch : batch.subarray(0, count * one.length));
    return;
  }
  if (mode !== 'fanout' || socket === publisher) return;
  if (measuring) messages += count;
  waitingFor -= count;
  if (waitingFor > 0) return;
  if (measuring) latencies.push((performance.now() - sentAt) * 1000);
  publish();
}

const request = (n) =>
  [
    `GET /${mode === 'fanout' && n === 0 ? 'publish' : ''} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(deflate ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []),
    '\r\n',
  ].join('\r\n');

async function connect(n) {
  const ready = Promise.withResolvers();
  const state = {
    head: '',
    isOpen: false,
    skip: 0,
    rest: null,
    backlog: null,
    check: true,
    sentAt: 0,
    first: (binary ? 0x82 : 0x81) | (deflate ? 0x40 : 0),
  };
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    data: { state },
    socket: {
      data(self, chunk) {
        if (state.isOpen) {
          receive(self, state, chunk);
          return;
        }
        state.head += chunk.toString('latin1');
        if (!state.head.includes('\r\n\r\n')) return;
        if (!state.head.startsWith('HTTP/1.1 101')) fail(`no handshake: ${state.head.slice(0, 40)}`);
        if (deflate !== /permessage-deflate/i.test(state.head)) fail('compression is not as asked for');
        state.isOpen = true;
        open += 1;
        ready.resolve();
      },
      drain(self) {
        const { backlog } = state;
        state.backlog = null;
        if (backlog !== null) write(self, backlog);
      },
      close: () => fail('a connection was closed'),
      error: (_self, error) => fail(String(error)),
      connectError: (_self, error) => fail(String(error)),
    },
  });
  socket.write(request(n));
  await ready.promise;
  return socket;
}

const sockets = [];
for (let n = 0; n < connections; n += 200) {
  const some = Array.from({ length: Math.min(200, connections - n) }, (_, i) => connect(n + i));
  sockets.push(...(await Promise.race([Promise.all(some), finish.promise.then(() => [])])));
  if (failure !== null) break;
}
allOpen.resolve();
const wait = (seconds) =>
  Promise.race([new Promise((done) => setTimeout(done, seconds * 1000)), finish.promise]);
if (failure === null) {
  if (mode === 'idle') {
    // The parent reads the server's memory meanwhile; then one message each way, and again.
    console.log(JSON.stringify({ open }));
    await wait(options.seconds);
  } else {
    publisher = sockets[0];
    if (mode === 'fanout') publish();
    else for (const socket of sockets) write(socket, batch);
    await wait(options.warmUpSeconds);
    measuring = true;
    const began = performance.now();
    const cpu = process.cpuUsage();
    await wait(options.seconds);
    const durationUs = (performance.now() - began) * 1000;
    const { user, system } = process.cpuUsage(cpu);
    latencies.sort((a, b) => a - b);
    const at = (share) => latencies[Math.floor(latencies.length * share)] ?? null;
    if (failure === null)
      console.log(
        JSON.stringify({
          messages,
          durationUs,
          busy: (user + system) / durationUs,
          p50Us: at(0.5),
          p99Us: at(0.99),
        }),
      );
  }
}
if (failure !== null) console.log(JSON.stringify({ failure }));
process.exit(0);
