// WebSocket clients for tests: Node's own, as a script sees it; and a raw one that sends what no good client would.
import assert from 'node:assert/strict';
import type { WebSocketConnection, WebSocketHandler } from '../../src/server/websocket-connection.ts';
import { acceptWebSocket, type AcceptOptions } from '../../src/web/websocket.ts';
import type { ExchangeHandler } from '../../src/web/exchange.ts';
import type { HttpFixture, RawClient } from '../support/http-fixture.ts';

export const ECHO: WebSocketHandler = { message: (socket, message) => void socket.send(message) };

/** Makes every exchange a WebSocket; others get 404. */
export function webSocketsOf(handler: WebSocketHandler, options: AcceptOptions = {}): ExchangeHandler {
  return (exchange) => {
    if (!acceptWebSocket(exchange, handler, options)) exchange.respond({ status: 404, fields: [], body: '' });
  };
}

export type Told = string | Buffer;

/** Node's client, with what it was told to wait for. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: Told[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string; clean: boolean }>;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, protocols: string[] = []) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      this.socket.addEventListener('open', () => resolve());
      this.socket.addEventListener('error', () => reject(new Error(`cannot open ${url}`)));
    });
    // Some tests look at the closing only.
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.addEventListener('close', ({ code, reason, wasClean }) => {
        resolve({ code, reason, clean: wasClean });
        this.#wake();
      });
    });
    this.socket.addEventListener('message', (event) => {
      const data = event.data as string | ArrayBuffer;
      this.messages.push(typeof data === 'string' ? data : Buffer.from(data));
      this.#wake();
    });
  }

  static async open(url: string, protocols: string[] = []): Promise<Client> {
    const client = new Client(url, protocols);
    await client.opened;
    return client;
  }

  send(message: Told): void {
    this.socket.send(message);
  }

  /** Resolves with all messages once there are `count`; fails where the socket closes first. */
  until(count: number): Promise<readonly Told[]> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.messages.length >= count) resolve(this.messages);
        else if (this.socket.readyState === WebSocket.CLOSED)
          reject(new Error(`closed after ${this.messages.length}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}

export const UPGRADE = [
  'GET /chat HTTP/1.1',
  'Host: h',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
] as const;

export const upgradeRequest = (...fields: string[]): string =>
  `${[...UPGRADE, ...fields].join('\r\n')}\r\n\r\n`;

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A client's frame, masked; `first` is its first byte. */
export function frame(first: number, payload: Buffer | string = ''): Buffer {
  const data = Buffer.from(payload).map((byte, i) => byte ^ (KEY[i % KEY.length] ?? 0));
  const long = data.length > 125;
  assert.ok(data.length < 65_536);
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = first;
  head[1] = 0x80 | (long ? 126 : data.length);
  if (long) head.writeUInt16BE(data.length, 2);
  KEY.copy(head, head.length - KEY.length);
  return Buffer.concat([head, data]);
}

/** A raw client whose handshake was accepted. */
export async function rawWebSocket(http: HttpFixture, ...fields: string[]): Promise<RawClient> {
  const client = await http.connect();
  client.send(upgradeRequest(...fields));
  await client.untilText('\r\n\r\n');
  client.text = client.text.slice(client.text.indexOf('\r\n\r\n') + 4);
  return client;
}

/** The close code in the frame that `text` ends with, and nothing else. */
export function closeCodeOf(text: string): number {
  assert.equal(text.charCodeAt(0), 0x88, JSON.stringify(text));
  return (text.charCodeAt(2) << 8) | text.charCodeAt(3);
}

/** A handler that keeps the sockets that it was given. */
export function keeping(handler: Partial<WebSocketHandler> = {}): {
  handler: WebSocketHandler;
  opened: Promise<WebSocketConnection>;
  closed: Promise<{ code: number; reason: string }>;
} {
  const opened = Promise.withResolvers<WebSocketConnection>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  return {
    handler: {
      message: () => {},
      ...handler,
      open(socket) {
        handler.open?.(socket);
        opened.resolve(socket);
      },
      close(_socket, code, reason) {
        closed.resolve({ code, reason });
      },
    },
    opened: opened.promise,
    closed: closed.promise,
  };
}
