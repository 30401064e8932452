// A client of server-sent events for tests, over HTTP/1.1 or HTTP/2 with prior knowledge: parses the stream as the HTML Standard §9.2.6 has
// it. No test itself.
import { connect, type ClientHttp2Session } from 'node:http2';
import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

export interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface SourceOptions {
  readonly lastEventId?: string;
  readonly http2?: boolean;
}

export class EventSourceClient {
  readonly heard: Heard[] = [];
  /** As a browser would send it with the next connection. */
  lastEventId = '';
  comments = 0;
  status = 0;
  contentType = '';
  readonly ended: Promise<void>;
  readonly #stream: Readable;
  readonly #session: ClientHttp2Session | null;
  #rest = '';
  #fields = { event: '', data: [] as string[] };
  #waiting = new Set<() => void>();
  #isOver = false;

  private constructor(stream: Readable, session: ClientHttp2Session | null) {
    this.#stream = stream;
    this.#session = session;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#receive(text));
    stream.on('error', () => {});
    this.ended = new Promise((resolve) => {
      stream.once('close', () => {
        this.#isOver = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async open(url: string, options: SourceOptions = {}): Promise<EventSourceClient> {
    const { lastEventId, http2 = false } = options;
    const fields = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    if (http2) {
      const { origin, pathname, search } = new URL(url);
      const session = connect(origin);
      const stream = session.request({ ':path': pathname + search, accept: 'text/event-stream', ...fields });
      const client = new EventSourceClient(stream, session);
      client.lastEventId = lastEventId ?? '';
      await new Promise<void>((resolve, reject) => {
        stream.once('error', reject);
        stream.once('response', (head) => {
          client.status = Number(head[':status']);
          client.contentType = String(head['content-type']);
          resolve();
        });
      });
      return client;
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(url, { headers: { accept: 'text/event-stream', ...fields }, agent: false });
      asked.once('error', reject);
      asked.once('response', resolve);
      asked.end();
    });
    const client = new EventSourceClient(response, null);
    client.lastEventId = lastEventId ?? '';
    client.status = response.statusCode ?? 0;
    client.contentType = response.headers['content-type'] ?? '';
    return client;
  }

  get texts(): string[] {
    return this.heard.map(({ event, data }) => `${event} ${data}`);
  }

  /** Resolves when `fits` does; rejects where the stream ends first. */
  until(fits: (client: this) => boolean): Promise<this> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (fits(this)) resolve(this);
        else if (this.#isOver) reject(new Error(`ended after ${JSON.stringify(this.heard)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async untilTexts(count: number): Promise<string[]> {
    await this.until(({ heard }) => heard.length >= count);
    return this.texts;
  }

  /** Does not read until `resume`. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.destroy();
    this.#session?.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#receiveLine(line);
    this.#wake();
  }

  #receiveLine(line: string): void {
    if (line === '') {
      const { event, data } = this.#fields;
      this.#fields = { event: '', data: [] };
      if (data.length > 0)
        this.heard.push({
          id: this.lastEventId,
          event: event === '' ? 'message' : event,
          data: data.join('\n'),
        });
      return;
    }
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === '') this.comments += 1;
    else if (name === 'id') this.lastEventId = value;
    else if (name === 'event') this.#fields.event = value;
    else if (name === 'data') this.#fields.data.push(value);
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}
