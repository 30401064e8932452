// serve(): howdah within another program. The options are those of `howdah serve`, with its names and defaults, but that nothing is
// logged unless somebody observes, and that no SQL clients are admitted unless asked for.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayAddress } from '../database/gateway/gateway.ts';
import type { Observer } from '../observe/observation.ts';
import { application as checkApplication, type ApplicationConfig } from '../web/define-application.ts';
import { loadApplication } from './application-module.ts';
import type { CertificateFiles } from './certificates.ts';
import type { ListenAddress } from './listener-rows.ts';
import type { RunningServer } from './serve-options.ts';
import { serve as serveAll } from './serve.ts';
import { packageVersion } from './version.ts';

/** What a server within a program is started with: the options of `howdah serve`. */
export interface ServeSettings {
  /** Connection string of a PostgreSQL server; default: the embedded PostgreSQL. */
  readonly database?: string;
  /** Where `database` is a pooler in transaction mode: the server itself, for what needs a session of its own. */
  readonly directUrl?: string;
  /** Sessions with that server for SQL handlers, and as many for `db`, at most. Default 8. */
  readonly sessions?: number;
  /** Data directory of the embedded PostgreSQL. Default `.howdah`. */
  readonly data?: string;
  /** Keep the database in memory: it is gone when the server ends. Default false. */
  readonly memory?: boolean;
  /** Files and directories of SQL to run at start. */
  readonly sql?: readonly string[];
  /** Address of the first listener. Default: the listeners of the application, or 127.0.0.1:8080 in a new database. */
  readonly listen?: ListenAddress;
  /** Address of the https listener; with certificates 127.0.0.1:8443 by default. */
  readonly tlsListen?: ListenAddress;
  /** Of the https listeners: files in PEM. */
  readonly tlsCertificates?: readonly CertificateFiles[];
  /** PEM of the authorities whose client certificates are required. */
  readonly tlsClientCa?: string;
  /** A self-signed certificate for localhost serves where there is no other. Default false. */
  readonly tlsDev?: boolean;
  /** Path of a UNIX socket that serves HTTP as well. Default: none. */
  readonly unixListen?: string;
  /** Peers whose connections begin with a PROXY protocol header: addresses, networks, `unix`. Default: nobody. */
  readonly proxyFrom?: readonly string[];
  /** Address where /livez, /readyz and /metrics are answered. Default: nowhere. */
  readonly adminListen?: ListenAddress;
  /** Where outside SQL clients of the embedded PostgreSQL are admitted. Default: nowhere. */
  readonly pgListen?: GatewayAddress;
  /** Worker processes on a PostgreSQL server, where the application is given as a module. Default: one for each CPU. */
  readonly workers?: number;
  /** A worker process that answers nothing for this long is replaced, in ms. Default 10 000. */
  readonly workerTimeoutMs?: number;
  /** Directories that SQL handlers may serve files of. */
  readonly allowFs?: readonly string[];
  /** Responses are compressed where the client accepts it. Default false. */
  readonly compress?: boolean;
  /** Request bodies are decompressed. Default false. */
  readonly decompress?: boolean;
  /** Largest request body in bytes. Default 10 000 000. */
  readonly maxBodyBytes?: number;
  /** Largest rows of a statement of `db`, and of sql`…` as a target, in bytes; db.stream() gives any number. Default 67 108 864. */
  readonly maxResultBytes?: number;
  /** How long a handler may take, in ms. Default 30 000. */
  readonly handlerTimeoutMs?: number;
  /** How long events are kept for clients that come again, in ms. Default 600 000. */
  readonly eventRetentionMs?: number;
  /** How long workers that are replaced may take to finish, in ms. Default 10 000. */
  readonly drainTimeoutMs?: number;
  /** A new database gets no listener and no welcome page. Default: whether the application has listeners. */
  readonly noInit?: boolean;
  /** Errors are shown in responses. Default false. */
  readonly dev?: boolean;
  /** Is told what the server does. Default: nobody is. */
  readonly observer?: Observer;
  /** Whether the observer is told of each request. Default: whether there is an observer. */
  readonly observeRequests?: boolean;
}

const DEFAULT_SESSIONS = 8;
const DEFAULT_MAX_BODY_BYTES = 10_000_000;
const DEFAULT_MAX_RESULT_BYTES = 67_108_864;
const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;
const DEFAULT_EVENT_RETENTION_MS = 600_000;
const DEFAULT_HANG_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;

/** A server whose application is in this process. */
export type ServerInProcess = RunningServer & Required<Pick<RunningServer, 'useApplication' | 'inject'>>;

/**
 * Serves an application in this process; it accepts when the promise resolves. One that is given as a module (the URL or path of a file)
 * is loaded by worker processes where the database is a PostgreSQL server.
 * @throws HowdahError where the database, an address, a file of SQL or the module stands in the way; nothing is left open then
 * @throws TypeError where the application is none
 */
export function serve(application: ApplicationConfig, settings?: ServeSettings): Promise<ServerInProcess>;
export function serve(module: URL | string, settings?: ServeSettings): Promise<RunningServer>;
export async function serve(
  given: ApplicationConfig | URL | string,
  settings: ServeSettings = {},
): Promise<RunningServer> {
  const isModule = typeof given === 'string' || given instanceof URL;
  const path = isModule ? resolve(typeof given === 'string' ? given : fileURLToPath(given)) : null;
  const application =
    path === null ? checkApplication(given as ApplicationConfig) : await loadApplication(path);
  const inWorkers = path !== null && settings.database !== undefined;
  const { database, directUrl = null, sessions = DEFAULT_SESSIONS } = settings;
  const { memory = false, data = '.howdah', listen = null } = settings;
  const observer = settings.observer ?? { observe: () => undefined };
  return serveAll({
    server: database === undefined ? null : { url: database, directUrl, maxSessions: sessions },
    dataDirectory: database !== undefined || memory ? null : data,
    listen,
    listeners: application.listeners ?? [],
    application: inWorkers ? null : application,
    tls: {
      listen: settings.tlsListen ?? null,
      files: settings.tlsCertificates ?? [],
      clientAuthority: settings.tlsClientCa ?? null,
      dev: settings.tlsDev ?? false,
    },
    unixListen: settings.unixListen === undefined ? null : resolve(settings.unixListen),
    gateway: settings.pgListen ?? null,
    sqlPaths: settings.sql ?? [],
    // A listener and a welcome page of their own would be in the way of the application's.
    noInit: settings.noInit ?? (application.listeners ?? []).length > 0,
    requests: {
      dev: settings.dev ?? false,
      compress: settings.compress ?? false,
      decompress: settings.decompress ?? false,
      maxBodyBytes: settings.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      maxResultBytes: settings.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
      handlerTimeoutMs: settings.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS,
      eventRetentionMs: settings.eventRetentionMs ?? DEFAULT_EVENT_RETENTION_MS,
      allowedDirectories: settings.allowFs ?? [],
      observeRequests: settings.observeRequests ?? settings.observer !== undefined,
      proxyFrom: settings.proxyFrom ?? [],
      applicationModule: inWorkers ? path : null,
    },
    admin: settings.adminListen ?? null,
    workers: settings.workers ?? null,
    hangTimeoutMs: settings.workerTimeoutMs ?? DEFAULT_HANG_TIMEOUT_MS,
    drainTimeoutMs: settings.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
    version: packageVersion(),
    observer,
    logs: { format: 'json', level: 'info', access: false, accessColour: false, errorColour: false },
  });
}
