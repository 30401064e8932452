// What `howdah serve` is told to do, made of its options: one typed value, checked for what excludes one another. The options
// themselves are in serve-program.ts.
import type { Command } from 'commander';
import type { LogFormat } from '../observe/access-log.ts';
import type { LogLevel } from '../observe/error-log.ts';
import type { GatewayAddress, TcpAddress } from './option-values.ts';

export interface TlsSettings {
  /** null: not given. */
  readonly listen: TcpAddress | null;
  readonly files: readonly { readonly certificate: string; readonly privateKey: string }[];
  /** null: clients are asked for no certificate. */
  readonly clientAuthority: string | null;
  readonly dev: boolean;
}

export interface ServeSettings {
  /** Path of the module of an application; null: SQL alone is served. */
  readonly application: string | null;
  /** The files that are served are followed (`howdah dev`). */
  readonly follows: boolean;
  /** A PostgreSQL server; null: the embedded one. */
  readonly server: {
    readonly url: string;
    readonly directUrl: string | null;
    readonly maxSessions: number;
  } | null;
  /** null: in memory. */
  readonly dataDirectory: string | null;
  /** null: not given. */
  readonly listen: TcpAddress | null;
  readonly tls: TlsSettings;
  /** Path of a UNIX socket; null: not given. */
  readonly unixListen: string | null;
  /** Peers that begin with a PROXY protocol header. */
  readonly proxyFrom: readonly string[];
  /** null: off. */
  readonly gateway: GatewayAddress | null;
  /** null: off. */
  readonly admin: TcpAddress | null;
  /** Worker processes on a PostgreSQL server; null: not given. */
  readonly workers: number | null;
  readonly workerTimeoutMs: number;
  readonly sqlPaths: readonly string[];
  readonly allowedDirectories: readonly string[];
  /** Whether the examples of the package run as well, before them: never on a PostgreSQL server. */
  readonly examples: boolean;
  readonly noInit: boolean;
  readonly dev: boolean;
  readonly compress: boolean;
  readonly decompress: boolean;
  readonly maxBodyBytes: number;
  readonly maxResultBytes: number;
  readonly handlerTimeoutMs: number;
  readonly eventRetentionMs: number;
  readonly drainTimeoutMs: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
}
/** As commander names them after the options in serve-program.ts. */
interface ServeFlags {
  readonly database?: string;
  readonly directUrl?: string;
  readonly sessions: number;
  readonly adminListen?: TcpAddress;
  readonly workers?: number;
  readonly workerTimeout: number;
  readonly data: string;
  readonly memory?: boolean;
  readonly listen?: TcpAddress;
  readonly unixListen?: string;
  readonly proxyFrom?: readonly string[];
  readonly pgListen: GatewayAddress | 'off';
  readonly tlsListen?: TcpAddress;
  readonly tlsCert: readonly string[];
  readonly tlsKey: readonly string[];
  readonly tlsClientCa?: string;
  readonly tlsDev?: boolean;
  readonly sql: readonly string[];
  readonly allowFs: readonly string[];
  readonly examples?: boolean;
  readonly init: boolean;
  readonly dev?: boolean;
  readonly compress?: boolean;
  readonly decompress?: boolean;
  readonly maxBodyBytes: number;
  readonly maxResultBytes: number;
  readonly handlerTimeout: number;
  readonly eventRetention: number;
  readonly drainTimeout: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
}
export function serveSettings(command: Command, file: string | undefined): ServeSettings {
  const flags = command.opts<ServeFlags>();
  const server = databaseServer(command, flags);
  return {
    application: file ?? null,
    follows: false,
    server,
    dataDirectory: server !== null || inMemory(command, flags) ? null : flags.data,
    listen: flags.listen ?? null,
    tls: {
      listen: flags.tlsListen ?? null,
      files: certificateFiles(command, flags),
      clientAuthority: flags.tlsClientCa ?? null,
      dev: flags.tlsDev ?? false,
    },
    unixListen: flags.unixListen ?? null,
    proxyFrom: flags.proxyFrom ?? [],
    gateway: flags.pgListen === 'off' ? null : flags.pgListen,
    admin: flags.adminListen ?? null,
    workers: flags.workers ?? null,
    workerTimeoutMs: flags.workerTimeout,
    sqlPaths: flags.sql,
    examples: flags.examples ?? false,
    allowedDirectories: flags.allowFs,
    noInit: !flags.init,
    dev: flags.dev ?? false,
    compress: flags.compress ?? false,
    decompress: flags.decompress ?? false,
    maxBodyBytes: flags.maxBodyBytes,
    maxResultBytes: flags.maxResultBytes,
    handlerTimeoutMs: flags.handlerTimeout,
    eventRetentionMs: flags.eventRetention,
    drainTimeoutMs: flags.drainTimeout,
    logFormat: flags.logFormat,
    logLevel: flags.logLevel,
    accessLog: flags.accessLog,
  };
}

function certificateFiles(command: Command, { tlsCert, tlsKey }: ServeFlags): TlsSettings['files'] {
  if (tlsCert.length !== tlsKey.length) {
    command.error(
      `error: there are ${tlsCert.length} of option '--tls-cert <FILE>' and ${tlsKey.length} of '--tls-key <FILE>'`,
    );
  }
  return tlsCert.map((certificate, i) => ({ certificate, privateKey: tlsKey[i] ?? '' }));
}

/** `--database` excludes `--data` and `--memory`; of those from different places, the command line's is meant. */
function databaseServer(
  command: Command,
  { database, directUrl, sessions }: ServeFlags,
): ServeSettings['server'] {
  if (database === undefined) {
    if (command.getOptionValueSource('directUrl') === 'cli')
      command.error("error: option '--direct-url <URL>' is for option '--database <URL>'");
    return null;
  }
  const source = command.getOptionValueSource('database');
  for (const [name, flags] of [
    ['data', '--data <DIR>'],
    ['memory', '--memory'],
  ] as const) {
    const other = command.getOptionValueSource(name);
    if (other === source) {
      command.error(`error: option '--database <URL>' cannot be used with option '${flags}'`);
    }
    if (other === 'cli') return null;
  }
  return { url: database, directUrl: directUrl ?? null, maxSessions: sessions };
}

/** `--data` and `--memory` exclude one another; of two from different places, the command line's is meant. */
function inMemory(command: Command, flags: ServeFlags): boolean {
  if (flags.memory !== true) return false;
  const data = command.getOptionValueSource('data');
  const memory = command.getOptionValueSource('memory');
  if (data === memory) command.error("error: option '--memory' cannot be used with option '--data <DIR>'");
  return !(data === 'cli' && memory === 'env');
}
