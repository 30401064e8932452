// A listener beside those of the database, for whoever runs the server: is it alive, may requests be sent to it, what has it counted.
// No listener of the database is needed to reach it, and no client of those reaches it.
import type { SqlResult } from '../database/exchange-result.ts';
import { HowdahError } from '../errors.ts';
import type { Observer } from '../observe/observation.ts';
import { HttpServer } from '../server/http-server.ts';
import { Listener } from '../transport/listener.ts';
import { bindSocket, type SocketHandle } from '../transport/socket-handle.ts';
import type { Exchange } from '../web/exchange.ts';
import { requestHandler } from '../web/request-handler.ts';
import { METRICS_TYPE, metricsText } from './fleet-metrics.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { NodeDescription } from './node-report.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly observer: Observer;
  readonly inherited: InheritedSockets | null;
  readonly database: { query(text: string): Promise<SqlResult> };
  readonly describe: () => NodeDescription;
}

/** Whoever asks whether it is ready gives up soon. */
const DATABASE_TIMEOUT_MS = 1000;

const TEXT_TYPE = 'text/plain; charset=utf-8';

export class AdminServer {
  readonly #options: AdminOptions;
  readonly #http: HttpServer;
  #listener: Listener | null = null;
  #handle: SocketHandle | null = null;

  private constructor(options: AdminOptions) {
    this.#options = options;
    const { observer } = options;
    this.#http = new HttpServer({
      handlers: [requestHandler((exchange) => this.#answer(exchange))],
      observer,
      observeRequests: false,
    });
  }

  /** @throws HowdahError HOWDAH_ADDRESS_UNUSABLE */
  static async open(options: AdminOptions): Promise<AdminServer> {
    const server = new AdminServer(options);
    const { host, port, observer, inherited } = options;
    try {
      const { handle } = inherited?.takeAdmin() ?? bindSocket(host, port);
      server.#handle = handle;
      server.#listener = await Listener.open(
        { address: host, port, handle },
        (socket) => server.#http.accept(socket, 0),
        observer,
      );
    } catch (error) {
      throw new HowdahError('HOWDAH_ADDRESS_UNUSABLE', `${host}:${port}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    observer.observe({ kind: 'listener-opened', id: 0, url: server.url });
    return server;
  }

  /** For a successor. */
  get handle(): SocketHandle | null {
    return this.#handle;
  }

  get url(): string {
    return this.#listener?.url ?? '';
  }

  /** `shared`: a successor accepts from the socket. */
  async close(shared = false): Promise<void> {
    await this.#listener?.suspend(shared);
    await this.#http.drain(0);
  }

  #answer(exchange: Exchange): void {
    const { method, path } = exchange.head;
    if (method !== 'GET' && method !== 'HEAD') {
      exchange.respond({ status: 405, fields: ['allow', 'GET, HEAD'], body: null });
      return;
    }
    switch (path) {
      case '/livez':
        respond(exchange, 200, 'alive\n');
        return;
      case '/readyz':
        this.#problems().then(
          (problems) => {
            if (problems.length === 0) respond(exchange, 200, 'ready\n');
            else respond(exchange, 503, problems.map((problem) => `not ready: ${problem}\n`).join(''));
          },
          () => exchange.fail(500),
        );
        return;
      case '/metrics':
        respond(exchange, 200, metricsText(this.#options.describe().workers), METRICS_TYPE);
        return;
      default:
        exchange.fail(404, 'there are /livez, /readyz and /metrics');
    }
  }

  /** Why requests should go elsewhere. */
  async #problems(): Promise<string[]> {
    const { state, listeners, workers } = this.#options.describe();
    const problems: string[] = [];
    if (state === 'draining') problems.push('the server drains');
    if (listeners.length === 0) problems.push('no listener is open');
    if (!workers.some((worker) => worker.state === 'serving')) problems.push('no worker serves');
    if (!(await this.#databaseAnswers())) problems.push('the database does not answer');
    return problems;
  }

  async #databaseAnswers(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), DATABASE_TIMEOUT_MS);
    const answered = this.#options.database.query('select 1').then(
      () => true,
      () => false,
    );
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  }
}

function respond(exchange: Exchange, status: number, body: string, type = TEXT_TYPE): void {
  exchange.respond({ status, fields: ['content-type', type, 'cache-control', 'no-store'], body });
}
