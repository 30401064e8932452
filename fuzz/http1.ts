// Fuzzes the HTTP/1.1 receiver: mutated requests must have the same outcome whole, cut and byte by byte, and never throw.
//
//   node fuzz/http1.ts [--seconds 10] [--seed N]
//
// Exits 1 at the first difference or throw, having printed the input as a JSON string of latin1 text. Not a search by
// coverage: it mutates a corpus that reaches every state.
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits } from '../src/protocol/http1/limits.ts';
import { comparable, deliver } from '../test/protocol/http1/deliveries.ts';
import { pick, random, seconds, seed } from './support/fuzz-run.ts';

const CORPUS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n\r\nGET /a/b?c=d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
  'POST http://[::1]:8080?q HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\nCookie: a=b\r\n\r\n' +
    '3;x="y"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade ,te\r\nUpgrade: h2c\r\n\r\n',
  'CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
];
/** Separated by `|`. */
const FRAGMENTS = (
  '\r\n|\r|\n|\0| |\t|:|;|,|0|\r\n\r\n|0\r\n\r\n|\r\n |\xff|HTTP/1.1|%|@|\x7f|"|[|]|gzip, |ffffffff|A: b\r\nA: b\r\n|' +
  'Content-Length: 5\r\n|Transfer-Encoding: chunked\r\n|Host: b\r\n|Connection: close\r\n|Expect: x\r\n|X: y\n|' +
  'Transfer-Encoding : chunked\r\n|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
).split('|');
const LIMIT_NAMES = Object.keys(DEFAULT_HTTP1_LIMITS) as (keyof Http1Limits)[];

function mutate(text: string): string {
  const at = random(text.length + 1);
  const to = Math.min(text.length, at + random(12));
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + pick(FRAGMENTS) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(to);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + text.slice(at, to).repeat(1 + random(4)) + text.slice(to);
    case 4:
      return text + pick(CORPUS);
    case 5:
      // Requests that repeat their header section.
      return text.repeat(2 + random(3));
    default:
      return text.slice(0, at) + pick(CORPUS).slice(random(20));
  }
}

/** Repetitions of repetitions would make few inputs of many. */
const MAX_INPUT_BYTES = 4000;

function makeInput(): string {
  let text = pick(CORPUS);
  for (let i = random(6); i >= 0; i--) text = mutate(text);
  return text.slice(0, MAX_INPUT_BYTES);
}

/** Mostly the defaults; otherwise a small one or two, so that limits are met in all states. */
function makeLimits(): Partial<Http1Limits> {
  const limits: Partial<Record<keyof Http1Limits, number>> = {};
  for (let i = random(3); i > 0; i--) limits[pick(LIMIT_NAMES)] = random(80);
  return limits;
}

function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random(40);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

function check(text: string, limits: Partial<Http1Limits>): void {
  const bytes = Buffer.from(text, 'latin1');
  const whole = comparable(deliver([bytes], limits));
  const single = comparable(
    deliver(
      Array.from(bytes, (byte) => Buffer.of(byte)),
      limits,
    ),
  );
  if (!isDeepStrictEqual(single, whole)) throw new Error('byte by byte, the outcome differs');
  if (!isDeepStrictEqual(comparable(deliver(cut(bytes), limits)), whole))
    throw new Error('cut, the outcome differs');
}

const end = Date.now() + seconds * 1000;
let runs = 0;
for (; Date.now() < end; runs++) {
  const text = makeInput();
  const limits = makeLimits();
  try {
    check(text, limits);
  } catch (error) {
    console.error(
      `seed ${seed}, run ${runs}, limits ${JSON.stringify(limits)}, input:\n${JSON.stringify(text)}`,
    );
    console.error(error);
    process.exit(1);
  }
}
console.log(`${runs} inputs in ${seconds} s, seed ${seed}: no difference`);
