// The commands, their options and their help texts: turns arguments and environment into typed settings. What the
// commands do is in serve-command.ts, sql-command.ts and routes-command.ts.
import { Command, CommanderError, Option } from 'commander';
import { LOG_LEVELS } from '../observe/error-log.ts';
import type { LogLevel } from '../observe/error-log.ts';
import type { LogFormat } from '../observe/access-log.ts';
import { EXIT_CODES, exitCodesHelp } from './exit-codes.ts';
import { installCommand } from './install-program.ts';
import type { InstallSettings } from './install-program.ts';
import {
  parseBytes,
  parseCount,
  parseDurationMs,
  parseGatewayAddress,
  parseTcpAddress,
} from './option-values.ts';
import type { GatewayAddress, TcpAddress } from './option-values.ts';
import { applyEnvironment, ListSetting, Setting, valueParser } from './settings.ts';
import type { Environment } from './settings.ts';
import { packageVersion } from './version.ts';

export interface TlsSettings {
  /** null: not given. */
  readonly listen: TcpAddress | null;
  readonly files: readonly { readonly certificate: string; readonly privateKey: string }[];
  /** null: clients are asked for no certificate. */
  readonly clientAuthority: string | null;
  readonly dev: boolean;
}

export interface ServeSettings {
  /** A PostgreSQL server; null: the embedded one. */
  readonly server: { readonly url: string; readonly maxSessions: number } | null;
  /** null: in memory. */
  readonly dataDirectory: string | null;
  /** null: not given. */
  readonly listen: TcpAddress | null;
  readonly tls: TlsSettings;
  /** null: off. */
  readonly gateway: GatewayAddress | null;
  readonly sqlPaths: readonly string[];
  readonly noInit: boolean;
  readonly dev: boolean;
  readonly maxBodyBytes: number;
  readonly handlerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
}

/** How to find the server that `sql` and `routes` talk to. */
export interface ServerChoice {
  readonly dataDirectory: string;
  /** A PostgreSQL connection string that goes before the data directory, or null. */
  readonly url: string | null;
}

export interface SqlSettings extends ServerChoice {
  readonly command: string | null;
  /** null: standard input. */
  readonly file: string | null;
}

export interface RoutesSettings extends ServerChoice {
  readonly json: boolean;
}

/** What each command does; the number is the exit code. */
export interface Actions {
  serve(settings: ServeSettings): Promise<number>;
  sql(settings: SqlSettings): Promise<number>;
  routes(settings: RoutesSettings): Promise<number>;
  install(settings: InstallSettings): Promise<number>;
}

export interface ProgramOutput {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

export const DEFAULT_DATA_DIRECTORY = '.howdah';

/** Not 5432: a PostgreSQL of the machine's own is likely to be there. */
const DEFAULT_GATEWAY: TcpAddress = { host: '127.0.0.1', port: 5433 };

const DEFAULT_MAX_BODY_BYTES = 10_000_000;

/** A bytea is at most 1 GiB with its header (PostgreSQL's limits, appendix K); a larger body could not be passed on. */
const HIGHEST_MAX_BODY_BYTES = 1_000_000_000;

const DEFAULT_SESSIONS = 8;

/** More than a server has processors for. */
const HIGHEST_SESSIONS = 1000;

const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;

interface ServeFlags {
  readonly database?: string;
  readonly sessions: number;
  readonly data: string;
  readonly memory?: boolean;
  readonly listen?: TcpAddress;
  readonly pgListen: GatewayAddress | 'off';
  readonly tlsListen?: TcpAddress;
  readonly tlsCert: readonly string[];
  readonly tlsKey: readonly string[];
  readonly tlsClientCa?: string;
  readonly tlsDev?: boolean;
  readonly sql: readonly string[];
  readonly init: boolean;
  readonly dev?: boolean;
  readonly maxBodyBytes: number;
  readonly handlerTimeout: number;
  readonly drainTimeout: number;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
}

/** Runs the command that `args` (without node and script) name, and gives the exit code. */
export async function runProgram(
  args: readonly string[],
  env: Environment,
  output: ProgramOutput,
  actions: Actions,
): Promise<number> {
  let exitCode: number = EXIT_CODES.done.code;
  const program = new Command('howdah')
    .description('An HTTP server whose listeners, routes and handlers live in PostgreSQL.')
    .version(`howdah ${packageVersion()}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .hook('preAction', (_, action) => {
      applyEnvironment(action, env);
    });
  for (const command of [
    serveCommand(async (settings) => {
      exitCode = await actions.serve(settings);
    }),
    sqlCommand(async (settings) => {
      exitCode = await actions.sql(settings);
    }),
    routesCommand(async (settings) => {
      exitCode = await actions.routes(settings);
    }),
    installCommand(async (settings) => {
      exitCode = await actions.install(settings);
    }),
  ]) {
    program.addCommand(command.helpOption('-h, --help', 'print help'));
  }
  for (const command of [program, ...program.commands]) command.configureOutput(output).exitOverride();

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed its one line or the help; 0 is for --help and --version.
    return error.exitCode === 0 ? EXIT_CODES.done.code : EXIT_CODES.usage.code;
  }
  return exitCode;
}

function serveCommand(run: (settings: ServeSettings) => Promise<void>): Command {
  return new Command('serve')
    .description('Serve HTTP from a database: an embedded PostgreSQL, by default.')
    .optionsGroup('Database:')
    .addOption(
      new Setting(
        '--database <URL>',
        'serve from a PostgreSQL server: postgres://…, name=value …, or env (DATABASE_URL, PG*)',
      ),
    )
    .addOption(
      new Setting('--sessions <N>', 'sessions with that server for SQL handlers, at most')
        .argParser(valueParser((text) => parseCount(text, HIGHEST_SESSIONS)))
        .default(DEFAULT_SESSIONS),
    )
    .addOption(
      new Setting('--data <DIR>', 'data directory of the embedded PostgreSQL, made if missing').default(
        DEFAULT_DATA_DIRECTORY,
      ),
    )
    .addOption(new Setting('--memory', 'keep the database in memory: it is gone when the server ends'))
    .addOption(
      new ListSetting(
        '--sql <FILE|DIR>',
        'run an SQL file, or the *.sql of a directory in order of name, at start',
      ),
    )
    .addOption(new Setting('--no-init', 'do not add a listener and a default page to a new database'))
    .optionsGroup('Addresses:')
    .addOption(
      new Setting(
        '--listen <HOST:PORT>',
        'first listener of a new database, 127.0.0.1:8080 by default; port 0: any',
      ).argParser(valueParser(parseTcpAddress)),
    )
    .addOption(
      new Setting(
        '--pg-listen <ADDRESS>',
        'where SQL clients are admitted: HOST:PORT, path of a UNIX socket, or off',
      )
        .argParser(valueParser(parseGatewayAddress))
        .default(DEFAULT_GATEWAY, '127.0.0.1:5433'),
    )
    .optionsGroup('TLS:')
    .addOption(
      new Setting(
        '--tls-listen <HOST:PORT>',
        'https listener, 127.0.0.1:8443 by default with --tls-cert or --tls-dev; port 0: any',
      ).argParser(valueParser(parseTcpAddress)),
    )
    .addOption(new ListSetting('--tls-cert <FILE>', 'PEM of a certificate and those above it'))
    .addOption(
      new ListSetting('--tls-key <FILE>', 'PEM of its private key; as many as --tls-cert, in the same order'),
    )
    .addOption(
      new Setting('--tls-client-ca <FILE>', 'require client certificates of the authorities in this PEM'),
    )
    .addOption(
      new Setting('--tls-dev', 'serve with a self-signed certificate for localhost where there is no other'),
    )
    .optionsGroup('Limits:')
    .addOption(
      new Setting('--max-body-bytes <SIZE>', 'largest request body: 500000, 10MB, 10MiB')
        .argParser(valueParser((text) => parseBytes(text, HIGHEST_MAX_BODY_BYTES)))
        .default(DEFAULT_MAX_BODY_BYTES, '10MB'),
    )
    .addOption(
      new Setting('--handler-timeout <TIME>', 'longest run of an SQL handler: 500ms, 30s, 2m')
        .argParser(valueParser((text) => parseDurationMs(text, 1)))
        .default(DEFAULT_HANDLER_TIMEOUT_MS, '30s'),
    )
    .addOption(
      new Setting('--drain-timeout <TIME>', 'longest wait for running requests after SIGTERM or SIGINT')
        .argParser(valueParser((text) => parseDurationMs(text, 0)))
        .default(DEFAULT_DRAIN_TIMEOUT_MS, '10s'),
    )
    .optionsGroup('Logs and errors:')
    .addOption(
      new Setting(
        '--log-format <FORMAT>',
        'form of the access log (standard output) and the error log (standard error)',
      )
        .choices(['pretty', 'json'])
        .default('pretty'),
    )
    .addOption(
      new Setting('--log-level <LEVEL>', 'least level in the error log').choices(LOG_LEVELS).default('info'),
    )
    .addOption(new Setting('--no-access-log', 'write no line for each request'))
    .addOption(new Setting('--dev', 'show SQL errors in responses'))
    .optionsGroup('Other:')
    .addHelpText(
      'after',
      `
Each option can be set in the environment instead; several values of one are separated as in PATH.

Examples:
  howdah serve                                   serve from .howdah, on http://127.0.0.1:8080
  howdah serve --memory --sql examples/          try something out and leave nothing behind
  howdah serve --database postgres://app@db/app  serve from a PostgreSQL server
  howdah serve --listen 0.0.0.0:80 --log-format json --data /var/lib/howdah
  howdah serve --listen '[::1]:0' --pg-listen off
  howdah serve --tls-dev                         HTTP/2 for browsers, on https://localhost:8443

${exitCodesHelp()}`,
    )
    .action(async (_flags: unknown, command: Command) => run(serveSettings(command)));
}

function serveSettings(command: Command): ServeSettings {
  const flags = command.opts<ServeFlags>();
  const server = databaseServer(command, flags);
  return {
    server,
    dataDirectory: server !== null || inMemory(command, flags) ? null : flags.data,
    listen: flags.listen ?? null,
    tls: {
      listen: flags.tlsListen ?? null,
      files: certificateFiles(command, flags),
      clientAuthority: flags.tlsClientCa ?? null,
      dev: flags.tlsDev ?? false,
    },
    gateway: flags.pgListen === 'off' ? null : flags.pgListen,
    sqlPaths: flags.sql,
    noInit: !flags.init,
    dev: flags.dev ?? false,
    maxBodyBytes: flags.maxBodyBytes,
    handlerTimeoutMs: flags.handlerTimeout,
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
function databaseServer(command: Command, { database, sessions }: ServeFlags): ServeSettings['server'] {
  if (database === undefined) return null;
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
  return { url: database, maxSessions: sessions };
}

/** `--data` and `--memory` exclude one another; of two from different places, the command line's is meant. */
function inMemory(command: Command, flags: ServeFlags): boolean {
  if (flags.memory !== true) return false;
  const data = command.getOptionValueSource('data');
  const memory = command.getOptionValueSource('memory');
  if (data === memory) command.error("error: option '--memory' cannot be used with option '--data <DIR>'");
  return !(data === 'cli' && memory === 'env');
}

function addServerChoice(command: Command): Command {
  return command
    .addOption(
      new Setting('--data <DIR>', 'data directory of the running server to talk to').default(
        DEFAULT_DATA_DIRECTORY,
      ),
    )
    .addOption(new Setting('--url <URL>', 'PostgreSQL connection string of the server, instead of --data'));
}

interface ServerChoiceFlags {
  readonly data: string;
  readonly url?: string;
}

/** As for `--memory`: a `--data` of the command line goes before an URL of the environment. */
function serverChoice(command: Command): ServerChoice {
  const { data, url } = command.opts<ServerChoiceFlags>();
  const byData =
    command.getOptionValueSource('data') === 'cli' && command.getOptionValueSource('url') === 'env';
  return { dataDirectory: data, url: byData ? null : (url ?? null) };
}

function sqlCommand(run: (settings: SqlSettings) => Promise<void>): Command {
  const command = new Command('sql')
    .description('Run SQL on a running server: a text, a file, standard input, or typed in by hand.')
    .argument('[FILE]', 'file with SQL; - or nothing: standard input')
    .addOption(new Option('-c, --command <TEXT>', 'SQL to run'));
  return addServerChoice(command)
    .addHelpText(
      'after',
      `
Each statement is a transaction of its own unless the SQL says otherwise (begin … commit). Except on a terminal, the
first error ends the command with exit code ${EXIT_CODES.failed.code}.

Examples:
  howdah sql                                     type statements, each ended by ;
  howdah sql -c 'select * from omni_httpd.routes'
  howdah sql schema.sql
  echo 'select 1;' | howdah sql --url postgres://127.0.0.1:5433

${exitCodesHelp()}`,
    )
    .action(async (file: string | undefined, flags: { command?: string }, self: Command) => {
      if (file !== undefined && flags.command !== undefined) {
        self.error("error: option '-c, --command <TEXT>' cannot be used with a FILE");
      }
      await run({
        ...serverChoice(self),
        command: flags.command ?? null,
        file: file === undefined || file === '-' ? null : file,
      });
    });
}

function routesCommand(run: (settings: RoutesSettings) => Promise<void>): Command {
  const command = new Command('routes')
    .description('List the routes of a running server, and what is wrong with those that it left out.')
    .addOption(new Option('--json', 'print one JSON object instead of tables'));
  return addServerChoice(command)
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .action(async (flags: { json?: boolean }, self: Command) => {
      await run({ ...serverChoice(self), json: flags.json ?? false });
    });
}
