// What the catalog is given by whoever makes it: where rows come from and calls go to. No behaviour.
import type { SqlDispatcher } from '../database/call.ts';
import type { Observer } from '../observe/observation.ts';
import type { Exchange } from '../web/exchange.ts';
import type { LocalFile } from '../web/local-files.ts';
import type { ProxyTarget } from '../web/proxy.ts';
import type { WebSocketOptions } from '../server/websocket-options.ts';
import type { CatalogRows } from './catalog-rows.ts';
import type { EventHub } from './event-hub.ts';
import type { WebSocketHub } from './websocket-hub.ts';

export interface CatalogOptions {
  /** Reads `howdah.catalog()`. */
  readonly loadRows: () => Promise<CatalogRows>;
  readonly dispatcher: SqlDispatcher;
  readonly observer: Observer;
  /** Answers the exchange with what an upstream answers (the outcome http_proxy). */
  readonly proxy: (exchange: Exchange, body: Buffer, target: ProxyTarget) => void;
  /** Answers the exchange with a file (the outcome http_file). Rejects where it cannot. */
  readonly file: (exchange: Exchange, file: LocalFile) => Promise<void>;
  /** Where WebSockets are kept; without it handshakes are requests as any other. */
  readonly webSockets?: WebSocketHub;
  /** Limits and times of WebSockets, where they are not the default. */
  readonly webSocket?: Partial<WebSocketOptions>;
  /** Where events come from; without it the outcome event_stream is an error. */
  readonly events?: EventHub;
  /** Larger bodies are refused with 413. */
  readonly maxBodyBytes: number;
  /** Rows of a statement of `db` that are larger, as PostgreSQL sends them, are refused. */
  readonly maxResultBytes: number;
  /** The limit that sessions hold calls to; only for the message about it. */
  readonly handlerTimeoutMs: number;
  /** Whether the answer to a failed handler says what went wrong. */
  readonly dev: boolean;
}
