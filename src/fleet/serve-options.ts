// What a server is started with, and what it is when it runs, whichever database is behind it. Types only.
import type { GatewayAddress } from '../database/gateway/gateway.ts';
import type { Observer } from '../observe/observation.ts';
import type { LogSettings } from '../observe/process-logs.ts';
import type { ApplicationConfig, ApplicationListener } from '../web/define-application.ts';
import type { CertificateFiles } from './certificates.ts';
import type { RequestOptions } from './http-worker.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { ServerDatabaseChoice } from './open-database.ts';

export interface TlsServeOptions {
  /**
   * Address of the https listener. null: what the database has; where it has none and there are certificates from files or
   * for development, 127.0.0.1:8443.
   */
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly files: readonly CertificateFiles[];
  /** Path of PEM with the authorities whose client certificates are required; null: no client is asked for one. */
  readonly clientAuthority: string | null;
  /** A self-signed certificate serves where there is no other. */
  readonly dev: boolean;
}

export interface ServeOptions {
  readonly requests: RequestOptions;
  /** A PostgreSQL server; null: the embedded one. */
  readonly server: ServerDatabaseChoice | null;
  /** Data directory of the embedded PostgreSQL; null: in memory. */
  readonly dataDirectory: string | null;
  /** Address of the first listener. null: 127.0.0.1:8080 in a new database, what it has in an old one. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Others that there are to be; `listen` goes before them. */
  readonly listeners?: readonly ApplicationListener[];
  /**
   * An application that is at hand. It is served in this process, also from a PostgreSQL server: worker processes load theirs from
   * `requests.applicationModule`.
   */
  readonly application?: ApplicationConfig | null;
  /** Has this process serve, and no worker processes. Default false. */
  readonly inProcess?: boolean;
  readonly tls: TlsServeOptions;
  /** Path of a UNIX socket that serves HTTP as well. Default: none. */
  readonly unixListen?: string | null;
  /** Where outside SQL clients of the embedded PostgreSQL are admitted; null: nowhere. */
  readonly gateway: GatewayAddress | null;
  /** Files and directories of SQL to run at start. */
  readonly sqlPaths: readonly string[];
  /**
   * What else is to be done before anything is served, with the SQL files and routes in place; where it rejects the server does not
   * start. Not where worker processes serve.
   */
  readonly prepare?: (server: Preparation) => Promise<void>;
  /** A new database gets no listener and no default page. */
  readonly noInit: boolean;
  /** Where /livez, /readyz and /metrics are answered; null: nowhere. */
  readonly admin?: { readonly host: string; readonly port: number } | null;
  /** Worker processes on a PostgreSQL server. null: omni_httpd.http_workers, or else a worker for each CPU. */
  readonly workers: number | null;
  /** A worker that answers nothing for this long is replaced. */
  readonly hangTimeoutMs: number;
  /** How long workers that are replaced may take to finish. */
  readonly drainTimeoutMs: number;
  /** Listening sockets that were open before. */
  readonly inherited?: InheritedSockets | null;
  /** Of the program. */
  readonly version: string;
  readonly observer: Observer;
  /** The logs of worker processes, which share the streams of this one. */
  readonly logs: LogSettings;
}

/** A server that is about to serve. */
export type Preparation = Required<Pick<RunningServer, 'useApplication' | 'runScript' | 'query'>>;

/** A server that accepts. */
export interface RunningServer {
  readonly listeners: readonly { readonly url: string }[];
  /** What of the listeners and certificates is not served, a line each. */
  readonly problems: readonly string[];
  /** Connection string for SQL clients, or null. */
  readonly gatewayUrl: string | null;
  /** Of the admin listener, or null. */
  readonly adminUrl: string | null;
  /** What serves as the database, in a few words. */
  readonly database: string;
  /** At present. */
  readonly workers: number;
  /** Reads listeners and certificates anew, files included. */
  reload(): Promise<void>;
  /** Serves another application, or none, from the next request on; not where worker processes serve. */
  readonly useApplication?: (application: ApplicationConfig | null) => void;
  /** Runs a text of SQL; not where worker processes serve. */
  readonly runScript?: (text: string) => Promise<unknown>;
  /** Runs one statement, and gives its rows as text; not where worker processes serve. */
  readonly query?: (
    text: string,
    parameters?: readonly (string | null)[],
  ) => Promise<readonly (readonly (string | null)[])[]>;
  /** The request as a client would send it, through everything but a socket; not where worker processes serve. */
  readonly inject?: (request: Request | string, init?: RequestInit) => Promise<Response>;
  /** Replaces the worker processes, one after another; nothing where there are none. */
  restartWorkers(): Promise<void>;
  /**
   * Starts the program anew with the sockets of this server, which is to be closed then. Rejects where that cannot be, or the new
   * process did not come to serve.
   */
  handOver(): Promise<number>;
  /** Stops accepting, lets requests finish until `deadlineMs` from now, then ends everything. Call once. */
  close(deadlineMs: number): Promise<void>;
  /** Resolves when close() has ended. */
  readonly closed: Promise<void>;
}
