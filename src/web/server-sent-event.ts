// The text of server-sent events (HTML Standard §9.2.5 and §9.2.6). Only the format: who sends them is event-stream.ts.

/** An event as browsers get it (HTML Standard §9.2). */
export interface ServerSentEvent {
  /** What the client says as Last-Event-ID when it comes again; has no NUL and no line break. */
  readonly id?: string;
  /** Name of the event; without one, clients get it as `message`. Has no line break. */
  readonly event?: string;
  /** Any text; a line break of any kind reaches the client as LF. */
  readonly data?: string;
  /** After how many ms a client that lost the connection comes again. */
  readonly retry?: number;
  /** Seen by nobody. */
  readonly comment?: string;
}

const LINE_BREAK = /\r\n|\r|\n/;
const BAD_LINE = /[\r\n]/;
// eslint-disable-next-line no-control-regex -- the standard names NUL
const BAD_ID = /[\0\r\n]/;

/** One event, with the empty line that ends it. Throws a TypeError for what the format cannot say. */
export function encodeServerSentEvent({ id, event, data, retry, comment }: ServerSentEvent): string {
  let text = '';
  if (comment !== undefined) text += lines(':', comment);
  if (id !== undefined) {
    if (BAD_ID.test(id)) throw new TypeError('the id of an event has no NUL and no line break');
    text += `id: ${id}\n`;
  }
  if (event !== undefined) {
    if (BAD_LINE.test(event)) throw new TypeError('the name of an event has no line break');
    text += `event: ${event}\n`;
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw new TypeError('retry is a whole number of ms');
    text += `retry: ${retry}\n`;
  }
  if (data !== undefined) text += lines('data:', data);
  return `${text}\n`;
}

function lines(name: string, text: string): string {
  if (!BAD_LINE.test(text)) return `${name} ${text}\n`;
  return text
    .split(LINE_BREAK)
    .map((line) => `${name} ${line}\n`)
    .join('');
}
