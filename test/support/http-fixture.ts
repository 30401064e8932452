// An HTTP server on a free port for tests, and a raw client that says exactly what a test wants it to say.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Observation } from '../../src/observe/observation.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import type { ServerOptions } from '../../src/server/server-options.ts';
import type { StreamHandlerChain } from '../../src/server/stream-handler.ts';
import { Listener, type ListenerOptions } from '../../src/transport/listener.ts';
import type { ExchangeHandler } from '../../src/web/exchange.ts';
import { requestHandler } from '../../src/web/request-handler.ts';

/** Of what a client has received, where it was not what the test waits for. */
const SHOWN_CHARACTERS = 500;

export interface HttpFixture extends AsyncDisposable {
  readonly server: HttpServer;
  readonly listener: Listener;
  readonly port: number;
  readonly observations: Observation[];
  /** Adds one. */
  observe(observation: Observation): void;
  /** Resolves with the first observation, past or to come, of that kind. */
  observed<K extends Observation['kind']>(kind: K): Promise<Extract<Observation, { kind: K }>>;
  /** A client in clear. */
  connect(): Promise<RawClient>;
}

export interface FixtureOptions {
  readonly server?: Partial<ServerOptions>;
  readonly listener?: Partial<ListenerOptions>;
  readonly handlers?: StreamHandlerChain;
}

/** Serves `handle` until disposed of. */
export async function startHttp(handle: ExchangeHandler, options: FixtureOptions = {}): Promise<HttpFixture> {
  const observations: Observation[] = [];
  const waiting = new Set<() => void>();
  const observer = {
    observe(observation: Observation): void {
      observations.push(observation);
      for (const look of waiting) look();
    },
  };
  const handlers = options.handlers ?? [requestHandler(handle)];
  const server = new HttpServer({ handlers, observer, observeRequests: true }, options.server);
  const listener = await Listener.open(
    { address: '127.0.0.1', port: 0, ...options.listener },
    (socket, header) => server.accept(socket, 1, header),
    observer,
  );
  const clients: RawClient[] = [];
  return {
    server,
    listener,
    port: listener.port,
    observations,
    observe: (observation) => observer.observe(observation),
    observed(kind) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = observations.find((observation) => observation.kind === kind);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found as Extract<Observation, { kind: typeof kind }>);
        };
        waiting.add(look);
        look();
      });
    },
    async connect() {
      const client = await RawClient.connect(listener.port);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy();
      await listener.suspend();
      await server.drain(1000);
    },
  };
}

/** A TCP client that keeps everything it was told, as latin1 text. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  /** The server has closed its side. */
  ended = false;
  /** The connection was reset. */
  reset = false;
  readonly closed: Promise<void>;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.reset ||= error.code === 'ECONNRESET' || error.code === 'EPIPE';
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ended = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Resolves with all text so far once `ready` says so; fails where the server closes first. */
  until(ready: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (ready(this.text)) resolve(this.text);
        else if (this.ended || this.reset) reject(new Error(`closed after ${shortened(this.text)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with all text once it contains `part`, `times` times. */
  untilText(part: string, times = 1): Promise<string> {
    return this.until((text) => text.split(part).length > times);
  }

  /** Resolves with all text once the server has closed its side. */
  async untilEnd(): Promise<string> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.ended && !this.reset) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return this.text;
  }

  /** Sends a request and resolves with everything until the server closes. */
  async say(text: string): Promise<string> {
    this.send(text);
    return this.untilEnd();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}

/** What a failure shows of a text: its end, which may be all there is. */
function shortened(text: string): string {
  const end = JSON.stringify(text.slice(-SHOWN_CHARACTERS));
  return text.length > SHOWN_CHARACTERS ? `${text.length} characters, the last of them ${end}` : end;
}

/** A minimal request head. */
export function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;
}

/** The status code of the first response in `text`. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}
