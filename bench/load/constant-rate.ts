// Asks for items at a constant rate, whether answers come or not, over a fixed number of connections with one request at a time on each.
// A request's latency counts from the moment at which it was due: one that waits for a connection because those before it are late is
// late itself, and is not left out. Prints one line of JSON. Argument: its options, as JSON.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FIRST_ITEM, ITEM_COUNT, itemBody } from '../servers/items.ts';
import { percentile } from '../harness/statistics.ts';
import type { ConstantRateOptions, ConstantRateSummary } from '../harness/constant-rate.ts';

/** By as much a request may be sent late, and its answer be seen late: a fraction of the latencies that are of interest. */
const TICK_MS = 0.2;
/** After the last request was due. */
const ANSWER_LIMIT_MS = 10_000;
const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;

interface Connection {
  readonly socket: Socket;
  /** Of the request that it waits for; -1 where there is none. */
  index: number;
  received: string;
}

const options = JSON.parse(process.argv[2] ?? '') as ConstantRateOptions;
const { port, connections, perSecond, warmUpSeconds, seconds } = options;
const intervalMs = 1000 / perSecond;
const warmUp = Math.round(warmUpSeconds * perSecond);
const total = warmUp + Math.round(seconds * perSecond);

const itemOf = (index: number): number => FIRST_ITEM + (index % ITEM_COUNT);
const requests = Array.from({ length: ITEM_COUNT }, (_, index) =>
  Buffer.from(`GET /item/${itemOf(index)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
);
const bodies = Array.from({ length: ITEM_COUNT }, (_, index) => itemBody(itemOf(index)));

const latencies = new Float64Array(total - warmUp);
/** How late this program itself saw that a request was due. */
const lateness = new Float64Array(total - warmUp);
const idle: Connection[] = [];
let seen = 0;
let sent = 0;
let answered = 0;
let startedAt = 0;
let cpuBefore = process.cpuUsage();

function fail(failure: string): never {
  console.log(JSON.stringify({ failure }));
  process.exit(1);
}

const dueAt = (index: number): number => startedAt + index * intervalMs;

function send(connection: Connection): void {
  connection.index = sent;
  connection.socket.write(requests[sent % ITEM_COUNT] ?? '');
  sent += 1;
}

function finish(): void {
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = latencies.sort();
  const us = (share: number, values: Float64Array): number => Math.round(percentile(values, share) * 1000);
  const summary: ConstantRateSummary = {
    requests: sorted.length,
    p50Us: us(0.5, sorted),
    p99Us: us(0.99, sorted),
    maxUs: us(1, sorted),
    ownP99Us: us(0.99, lateness.sort()),
    cpuUs: user + system,
  };
  console.log(JSON.stringify(summary));
  process.exit(0);
}

/** Sends what is due on connections that wait for nothing. */
function pump(): void {
  const now = performance.now();
  const due = Math.min(total, Math.floor((now - startedAt) / intervalMs) + 1);
  for (; seen < due; seen++) {
    if (seen >= warmUp) lateness[seen - warmUp] = now - dueAt(seen);
  }
  while (sent < due) {
    const connection = idle.shift();
    if (connection === undefined) break;
    send(connection);
  }
  if (sent === total && now > dueAt(total) + ANSWER_LIMIT_MS) {
    fail(`${total - answered} of ${total} requests were not answered`);
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps between two looks: one that looked at the clock all the time would take from the server, whose core may be half of its own. */
function run(): void {
  pump();
  Atomics.wait(never, 0, 0, TICK_MS);
  setImmediate(run);
}

function receive(connection: Connection, text: string): void {
  connection.received += text;
  const { received, index } = connection;
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return;
  const length = headEnd + HEAD_END.length + Number(LENGTH.exec(received)?.[1] ?? 0);
  if (received.length < length) return;
  const body = received.slice(headEnd + HEAD_END.length);
  if (index < 0 || !received.startsWith('HTTP/1.1 200 ') || body !== bodies[index % ITEM_COUNT]) {
    fail(`a wrong answer under load: ${received.slice(0, 15)}… ${body.slice(0, 80)}`);
  }
  const now = performance.now();
  if (index >= warmUp) latencies[index - warmUp] = now - dueAt(index);
  connection.received = '';
  connection.index = -1;
  answered += 1;
  idle.push(connection);
  if (answered === total) finish();
}

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      idle.push(connection);
      resolve();
    });
    const connection: Connection = { socket, index: -1, received: '' };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => receive(connection, text));
    socket.on('error', (error) => fail(`a connection was lost under load: ${error.message}`));
    socket.on('close', () => fail('the server has closed a connection'));
  });
}

await Promise.all(Array.from({ length: connections }, open));
cpuBefore = process.cpuUsage();
startedAt = performance.now();
run();
