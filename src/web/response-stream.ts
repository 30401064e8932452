// Reads the ReadableStream of a response for its exchange: no faster than the client takes it, until the client leaves. Ends
// streams whose sources pay no heed to back-pressure.
import type { Exchange } from './exchange.ts';

/**
 * Bytes that may wait in a stream's own queue, that is, that its source has put there without having been asked for more.
 * That of one stream of HTTP/2 (maxStreamBufferBytes).
 */
const MAX_QUEUED_BYTES = 8_388_608;
const LOOK_INTERVAL_MS = 250;

type Stream = NonNullable<Response['body']>;

/** The chunks of `stream`. What is no Uint8Array fails, as in fetch(). */
export function readStream(exchange: Exchange, stream: Stream): AsyncIterable<Uint8Array> {
  const reader = stream.getReader();
  let over = false;
  const cancel = (reason: Error): void => {
    if (over) return;
    over = true;
    watched.delete(watch);
    reader.cancel(reason).catch(() => undefined);
  };
  const watch: Watched = { exchange, stream, cancel };
  watched.add(watch);
  look();
  exchange.onClose(() => cancel(new DOMException('the client has left', 'AbortError')));
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = await reader.read();
        if (result.done) {
          over = true;
          watched.delete(watch);
          return { done: true, value: undefined };
        }
        const chunk: unknown = result.value;
        if (chunk instanceof Uint8Array) return { done: false, value: chunk };
        const error = new TypeError(`a chunk of a response body is ${typeof chunk}, not a Uint8Array`);
        cancel(error);
        throw error;
      },
      return() {
        cancel(new DOMException('nobody wants the rest', 'AbortError'));
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

/** Of a response that nobody wants: lets go of whatever its content comes from. */
export function releaseBody(body: AsyncIterable<unknown>): void {
  const returned = body[Symbol.asyncIterator]().return?.();
  if (returned !== undefined) Promise.resolve(returned).catch(() => undefined);
}

interface Watched {
  readonly exchange: Exchange;
  readonly stream: Stream;
  readonly cancel: (reason: Error) => void;
}

// A stream does not say how much waits in it, and a source that goes on all the same (`enqueue` without a look at
// `desiredSize`) would fill the memory as soon as its client stops reading. So those of streams under way are looked at.
const watched = new Set<Watched>();
let timer: NodeJS.Timeout | null = null;

function look(): void {
  if (timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    for (const { exchange, stream, cancel } of watched) {
      const bytes = queuedBytes(stream);
      if (bytes <= MAX_QUEUED_BYTES) continue;
      const error = new Error(
        `the source of a response body ignores back-pressure: ${bytes} bytes wait for the client`,
      );
      cancel(error);
      exchange.cut(error);
    }
    if (watched.size > 0) look();
  }, LOOK_INTERVAL_MS);
  timer.unref();
}

/**
 * Bytes in the queue of a stream's controller. There is no public way to ask, so this goes by the symbol and the names that
 * Node.js has for its state (24 to 26), and says 0 where these are not there. A test shows that they are.
 */
function queuedBytes(stream: Stream): number {
  const controller = state(stream)?.['controller'];
  const queue = state(controller)?.['queue'];
  const list: unknown =
    typeof queue === 'object' && queue !== null ? (queue as { list?: unknown }).list : queue;
  const entries = Array.isArray(list)
    ? (list as unknown[])
    : Array.isArray(queue)
      ? (queue as unknown[])
      : [];
  let bytes = 0;
  for (const entry of entries) {
    if (entry instanceof Uint8Array) bytes += entry.byteLength;
    else if (typeof entry === 'object' && entry !== null) {
      const { byteLength, value } = entry as { byteLength?: unknown; value?: unknown };
      if (typeof byteLength === 'number') bytes += byteLength;
      else if (value instanceof Uint8Array) bytes += value.byteLength;
    }
  }
  return bytes;
}

function state(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const symbol = Object.getOwnPropertySymbols(value).find(({ description }) => description === 'kState');
  return symbol === undefined ? undefined : (value as Record<symbol, Record<string, unknown>>)[symbol];
}
