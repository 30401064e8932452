// One request over a socket of its own, to see that a server gives the right answer and how many bytes that answer has.
// Reads what a benchmark needs, a response with a content-length, and is no HTTP client.
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

const HEAD_END = '\r\n\r\n';
const PROBE_LIMIT_MS = 10_000;

export interface Expectation {
  readonly status: number;
  /** The exact body, or what it must match, or the value that it must be the JSON of. */
  readonly body: string | RegExp | { readonly json: unknown };
  /** Field names in lower case, and what their values must match. */
  readonly fields: Readonly<Record<string, RegExp>>;
}

export interface Answer {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
  /** Of the whole response on the wire. */
  readonly bytes: number;
}

/** Reads a response from the start of the bytes; null while it is not complete. */
export function parseAnswer(received: Buffer): Answer | null {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const fields = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = fields.get('content-length');
  if (length === undefined) throw new Error('the answer has no content-length');
  const bodyStart = headEnd + HEAD_END.length;
  const bytes = bodyStart + Number(length);
  if (received.length < bytes) return null;
  if (received.length > bytes) throw new Error('there are bytes after the answer');
  return {
    status: Number(statusLine.split(' ')[1]),
    fields,
    body: received.toString('utf8', bodyStart),
    bytes,
  };
}

function isRightBody(body: string, expected: Expectation['body']): boolean {
  if (typeof expected === 'string') return body === expected;
  if (expected instanceof RegExp) return expected.test(body);
  try {
    return isDeepStrictEqual(JSON.parse(body), expected.json);
  } catch {
    return false;
  }
}

/** What is wrong with an answer, or null. */
export function findFault(answer: Answer, expected: Expectation): string | null {
  if (answer.status !== expected.status) return `status ${answer.status} instead of ${expected.status}`;
  if (!isRightBody(answer.body, expected.body)) {
    return `wrong body: ${JSON.stringify(answer.body.slice(0, 80))}`;
  }
  for (const [name, pattern] of Object.entries(expected.fields)) {
    const value = answer.fields.get(name);
    if (value === undefined) return `no ${name} field`;
    if (!pattern.test(value)) return `${name} is ${JSON.stringify(value)}`;
  }
  return null;
}

/** What the load generator asks for, as far as an answer depends on it. */
export interface ProbeRequest {
  readonly target: string;
  /** Field lines, as in `name: value`. */
  readonly fields?: readonly string[];
  /** The body of a POST; without it, the request is a GET. */
  readonly post?: string;
}

function requestText(port: number, { target, fields = [], post }: ProbeRequest): string {
  const length = post === undefined ? [] : [`Content-Length: ${Buffer.byteLength(post)}`];
  const method = post === undefined ? 'GET' : 'POST';
  const lines = [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...fields, ...length];
  return `${lines.join('\r\n')}\r\n\r\n${post ?? ''}`;
}

/** Asks; rejects where no answer comes. The connection is kept alive by the request, as under load. */
export function probe(port: number, request: ProbeRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  socket.setTimeout(PROBE_LIMIT_MS, () => reject(new Error(`no answer within ${PROBE_LIMIT_MS} ms`)));
  socket.once('connect', () => socket.write(requestText(port, request)));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    try {
      const answer = parseAnswer(received);
      if (answer !== null) resolve(answer);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection was closed without an answer')));
  return promise.finally(() => socket.destroy());
}
