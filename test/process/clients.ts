// Clients that go on for as long as a server lets them, of HTTP/2 and of WebSockets: what they are told when a server ends or is replaced.
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';

export interface Http2Load {
  /** Answers with 200 so far. */
  readonly answers: number;
  /** Everything that is no such answer. */
  readonly failures: readonly string[];
  /** Connections that the server has ended with a GOAWAY. */
  readonly goaways: number;
  /** Until so many more answers have come. */
  more(answers: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Connections with `streams` requests at a time on each, made anew when the server says GOAWAY, as browsers do it: what was sent
 * before that is to be answered.
 */
export function startHttp2Load(url: string, path: string, connections: number, streams: number): Http2Load {
  const failures: string[] = [];
  let answers = 0;
  let goaways = 0;
  const ended = new AbortController();
  const waiting: { at: number; resolve: () => void }[] = [];
  const ask = async (session: ClientHttp2Session): Promise<void> => {
    const stream = session.request({ ':path': path });
    let status = 0;
    let whole = false;
    const sinceMs = performance.now();
    stream.on('response', (fields) => (status = Number(fields[':status'])));
    stream.on('end', () => (whole = true));
    // Node.js does not send what was to be sent when the GOAWAY came, and says so: it is to be asked again (RFC 9113 §8.7).
    let sent = true;
    stream.on('frameError', () => (sent = false));
    let error = '';
    stream.on('error', (reason: Error) => (error = reason.message));
    stream.resume();
    await new Promise<void>((resolve) => stream.once('close', resolve));
    if (status === 200 && whole && error === '') answers += 1;
    else if (sent) {
      const when = `${new Date().toISOString().slice(11, -1)}, ${Math.round(performance.now() - sinceMs)} ms after it was asked`;
      failures.push(`status ${status}${whole ? '' : ', cut'} ${error} (${when})`);
    }
    for (const { at, resolve } of waiting) if (answers >= at) resolve();
  };
  const connection = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const session = connect(url, { rejectUnauthorized: false });
      session.on('error', (error) => failures.push(`connection: ${error.message}`));
      session.on('goaway', (code: number) => {
        goaways += 1;
        if (code !== 0) failures.push(`GOAWAY with code ${code}`);
      });
      await Promise.race([
        once(session, 'connect'),
        new Promise((resolve) => session.once('close', resolve)),
      ]);
      const stream = async (): Promise<void> => {
        while (!ended.signal.aborted && !session.closed && !session.destroyed) await ask(session);
      };
      await Promise.all(Array.from({ length: streams }, stream));
      if (!session.destroyed) {
        const closed = once(session, 'close');
        session.close();
        await closed;
      }
    }
  };
  const done = Promise.all(Array.from({ length: connections }, connection));
  return {
    get answers() {
      return answers;
    },
    failures,
    get goaways() {
      return goaways;
    },
    more: (count) => new Promise((resolve) => void waiting.push({ at: answers + count, resolve })),
    async stop() {
      ended.abort();
      await done;
    },
  };
}

export interface Room {
  /** Close codes of those that the server has ended. */
  readonly codes: readonly number[];
  /** Until that many have been ended. */
  ended(count: number): Promise<readonly number[]>;
}

/** WebSockets that are open and say nothing. */
export async function openWebSockets(url: string, count: number): Promise<Room> {
  const codes: number[] = [];
  const waiting: { count: number; resolve: (codes: readonly number[]) => void }[] = [];
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = new WebSocket(url.replace(/^http/, 'ws'));
      socket.addEventListener('close', ({ code }) => {
        codes.push(code);
        for (const one of waiting) if (codes.length >= one.count) one.resolve(codes);
      });
      await once(socket, 'open');
    }),
  );
  return {
    codes,
    ended: (wanted) =>
      new Promise((resolve) => {
        if (codes.length >= wanted) resolve(codes);
        else waiting.push({ count: wanted, resolve });
      }),
  };
}
