// One request over a socket of its own, to see that a server gives the right answer and how many bytes that answer has.
// Reads what a benchmark needs, a response with a content-length, and is no HTTP client.
import { connect } from 'node:net';

const HEAD_END = '\r\n\r\n';
const PROBE_LIMIT_MS = 10_000;

export interface Expectation {
  readonly status: number;
  /** The exact body, or what it must match. */
  readonly body: string | RegExp;
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

/** What is wrong with an answer, or null. */
export function findFault(answer: Answer, expected: Expectation): string | null {
  if (answer.status !== expected.status) return `status ${answer.status} instead of ${expected.status}`;
  const { body } = expected;
  if (typeof body === 'string' ? answer.body !== body : !body.test(answer.body)) {
    return `wrong body: ${JSON.stringify(answer.body.slice(0, 80))}`;
  }
  for (const [name, pattern] of Object.entries(expected.fields)) {
    const value = answer.fields.get(name);
    if (value === undefined) return `no ${name} field`;
    if (!pattern.test(value)) return `${name} is ${JSON.stringify(value)}`;
  }
  return null;
}

/** Asks for `target`; rejects where no answer comes. The connection is kept alive by the request, as under load. */
export function probe(port: number, target: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  socket.setTimeout(PROBE_LIMIT_MS, () => reject(new Error(`no answer within ${PROBE_LIMIT_MS} ms`)));
  socket.once('connect', () => socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`));
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
