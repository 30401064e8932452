// What the master and a worker process say to one another over their channel, and what a worker tells of itself. Types only.
import type { ListenerRow } from '../catalog/catalog-rows.ts';
import type { LogSettings } from '../observe/process-logs.ts';
import type { RequestMetrics } from '../observe/request-metrics.ts';
import type { CertificateText } from '../transport/certificate.ts';
import type { TicketSecret } from '../transport/ticket-keys.ts';
import type { TlsOptions } from '../transport/tls-acceptor.ts';
import type { RequestOptions } from './http-worker.ts';
import type { ServerDatabaseChoice } from './open-database.ts';

/** What a worker is told once, first. */
export interface WorkerStart {
  /** Its place in the fleet, from 1; the one that takes its place has the same. */
  readonly slot: number;
  /** Unlike that of any other worker of this master. */
  readonly number: number;
  readonly database: ServerDatabaseChoice;
  readonly requests: RequestOptions;
  /** For what runs when the master has gone. */
  readonly drainTimeoutMs: number;
  readonly logs: LogSettings;
  /** Directory of the sockets by which workers reach one another. */
  readonly siblingDirectory: string;
}

/** One listener as the workers know it: rows may change while what they ask for stays. */
export interface SharedListener {
  /** Unlike that of any other listener of this master. */
  readonly key: number;
  readonly row: ListenerRow;
  readonly port: number;
  /** Of a UNIX socket; null: it is a TCP socket. */
  readonly path: string | null;
  readonly clientCertificates: TlsOptions['clientCertificates'] | null;
}

export interface CertificateTexts {
  readonly certificates: readonly CertificateText[];
  readonly clientAuthorities: readonly string[];
  /** So that a client may resume its session with any worker. */
  readonly ticketSecret: TicketSecret;
}

/** A connection that worker `from` has accepted, of the listener `key`. */
export interface PassedConnection {
  readonly id: number;
  readonly key: number;
  readonly from: number;
}

export type MasterMessage =
  | ({ readonly kind: 'start' } & WorkerStart)
  /** For all https listeners, those to come included. */
  | ({ readonly kind: 'certificates' } & CertificateTexts)
  /** With the handle of the bound socket. Answered by `listening`. */
  | ({ readonly kind: 'listen' } & SharedListener)
  /** Answered by `stopped-listening`. `shared`: another program accepts from the socket, or will. */
  | { readonly kind: 'stop-listening'; readonly key: number; readonly shared: boolean }
  /** Answered by `settled` when all that was asked before is done and all hand-overs are sent. */
  | { readonly kind: 'settle' }
  /** All workers that may be reached, this one included. */
  | { readonly kind: 'siblings'; readonly numbers: readonly number[] }
  /** With the handle of the connection. Answered by `connection-taken`. */
  | ({ readonly kind: 'connection' } & PassedConnection)
  | { readonly kind: 'sessions'; readonly maxSessions: number }
  /** Finish what runs and end. */
  | { readonly kind: 'drain'; readonly deadlineMs: number }
  /** Answered by `pong`, from the loop that serves. */
  | { readonly kind: 'ping'; readonly details: boolean };

export type WorkerMessage =
  /** The catalog is loaded; listeners may come. */
  | { readonly kind: 'ready'; readonly database: string }
  | { readonly kind: 'start-failed'; readonly code: string | null; readonly message: string }
  | {
      readonly kind: 'listening';
      readonly key: number;
      readonly failure: { readonly code: string; readonly message: string } | null;
    }
  /** What waited there is accepted. */
  | { readonly kind: 'stopped-listening'; readonly key: number }
  /** With the handle of a connection that it has accepted and that `to` is to serve. */
  | { readonly kind: 'hand-over'; readonly key: number; readonly to: number }
  /** Not taken: it is about to end, or does not know the listener. */
  | { readonly kind: 'connection-taken'; readonly id: number; readonly taken: boolean }
  | { readonly kind: 'settled' }
  | { readonly kind: 'pong'; readonly status: WorkerStatus };

export interface WorkerStatus {
  readonly connections: number;
  readonly openRequests: number;
  readonly requests: number;
  readonly sessions: number;
  readonly busySessions: number;
  readonly queuedCalls: number;
  readonly callsSent: number;
  readonly callsTaken: number;
  readonly epoch: string;
  readonly metrics: RequestMetrics;
  /** With details only. */
  readonly connectionList?: readonly ConnectionStatus[];
  readonly sessionList?: readonly SessionStatus[];
}

export interface ConnectionStatus {
  readonly listener: number;
  /** `HTTP/1`, `HTTP/2`, or what it was switched to. */
  readonly protocol: string;
  readonly peer: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface SessionStatus {
  readonly pid: number;
  readonly state: 'idle' | 'busy' | 'cancelling';
  readonly calls: number;
  /** Of the oldest call. */
  readonly statement: string | null;
}
