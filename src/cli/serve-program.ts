// `howdah serve` on the command line: its options and help. What they come to is in serve-settings.ts, what it does in
// serve-command.ts.
import { Command } from 'commander';
import { LOG_LEVELS } from '../observe/error-log.ts';
import { exitCodesHelp } from './exit-codes.ts';
import {
  parseBytes,
  parseCount,
  parseDurationMs,
  parseGatewayAddress,
  parsePeers,
  parseTcpAddress,
} from './option-values.ts';
import type { TcpAddress } from './option-values.ts';
import { serveSettings, type ServeSettings } from './serve-settings.ts';
import { DEFAULT_DATA_DIRECTORY } from './server-choice.ts';
import { ListSetting, Setting, valueParser } from './settings.ts';

/** Not 5432: a PostgreSQL of the machine's own is likely to be there. */
const DEFAULT_GATEWAY: TcpAddress = { host: '127.0.0.1', port: 5433 };

const DEFAULT_MAX_BODY_BYTES = 10_000_000;

/** A bytea is at most 1 GiB with its header (PostgreSQL's limits, appendix K); a larger body could not be passed on. */
const HIGHEST_MAX_BODY_BYTES = 1_000_000_000;

/** What a process can hold for a few requests at once; more is better taken row by row. */
const DEFAULT_MAX_RESULT_BYTES = 67_108_864;

/** A value of PostgreSQL's is no larger. */
const HIGHEST_MAX_RESULT_BYTES = 1_000_000_000;

/** Longer than a browser that lost its connection waits before it comes again, on a train too. */
const DEFAULT_EVENT_RETENTION_MS = 600_000;

const DEFAULT_SESSIONS = 8;

/** More than a server has processors for. */
const HIGHEST_SESSIONS = 1000;

/** More than a machine has processors for. */
const HIGHEST_WORKERS = 1000;

/** A worker looks at its channel between any two requests; ten seconds without is no busy one. */
const DEFAULT_WORKER_TIMEOUT_MS = 10_000;

const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;
export function serveCommand(run: (settings: ServeSettings) => Promise<void>): Command {
  return makeCommand('serve', 'Serve HTTP from a database: an embedded PostgreSQL, by default.', run);
}

/** `howdah dev`: as serve, with its options. */
export function devCommand(run: (settings: ServeSettings) => Promise<void>): Command {
  return makeCommand(
    'dev',
    'Serve as `howdah serve --dev`, and follow the files: SQL that changed runs again, modules are loaded anew.',
    (settings) => run({ ...settings, dev: true, follows: true }),
  );
}

function makeCommand(
  name: string,
  description: string,
  run: (settings: ServeSettings) => Promise<void>,
): Command {
  return new Command(name)
    .description(description)
    .argument('[FILE]', 'module of an application in TypeScript or JavaScript, to be served beside the SQL')
    .optionsGroup('Database:')
    .addOption(
      new Setting(
        '--database <URL>',
        'serve from a PostgreSQL server: postgres://…, name=value …, or env (DATABASE_URL, PG*)',
      ),
    )
    .addOption(
      new Setting(
        '--direct-url <URL>',
        'where --database is a pooler: the server itself, for what needs a session of its own',
      ),
    )
    .addOption(
      new Setting(
        '--sessions <N>',
        'sessions with that server for SQL handlers, at most: of all workers together, one each at least',
      )
        .argParser(valueParser((text) => parseCount(text, HIGHEST_SESSIONS)))
        .default(DEFAULT_SESSIONS),
    )
    .addOption(
      new Setting(
        '--workers <N>',
        'worker processes that serve from it; default: omni_httpd.http_workers, or the number of CPUs',
      ).argParser(valueParser((text) => parseCount(text, HIGHEST_WORKERS))),
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
    .addOption(new Setting('--examples', 'have a chat and a live table to try out; not with --database'))
    .addOption(new Setting('--no-init', 'do not add a listener and a default page to a new database'))
    .optionsGroup('Addresses:')
    .addOption(
      new Setting(
        '--listen <HOST:PORT>',
        'first listener of a new database, 127.0.0.1:8080 by default; port 0: any',
      ).argParser(valueParser(parseTcpAddress)),
    )
    .addOption(new Setting('--unix-listen <PATH>', 'serve HTTP on a UNIX socket as well'))
    .addOption(
      new Setting(
        '--proxy-from <PEERS>',
        'who begins with a PROXY protocol header and is believed: 10.0.0.0/8,::1,unix',
      ).argParser(valueParser(parsePeers)),
    )
    .addOption(
      new Setting(
        '--pg-listen <ADDRESS>',
        'where SQL clients are admitted: HOST:PORT, path of a UNIX socket, or off',
      )
        .argParser(valueParser(parseGatewayAddress))
        .default(DEFAULT_GATEWAY, '127.0.0.1:5433'),
    )
    .addOption(
      new Setting(
        '--admin-listen <HOST:PORT>',
        'where /livez, /readyz and /metrics are answered, and nothing else; off by default',
      ).argParser(valueParser(parseTcpAddress)),
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
    .optionsGroup('Files:')
    .addOption(
      new ListSetting(
        '--allow-fs <DIR>',
        'directory that SQL handlers may serve files of, with all below it',
      ),
    )
    .optionsGroup('Compression:')
    .addOption(new Setting('--compress', 'compress responses (zstd, br, gzip) where the client accepts it'))
    .addOption(new Setting('--decompress', 'decompress request bodies: handlers see what was compressed'))
    .optionsGroup('Limits:')
    .addOption(
      new Setting('--max-body-bytes <SIZE>', 'largest request body: 500000, 10MB, 10MiB')
        .argParser(valueParser((text) => parseBytes(text, HIGHEST_MAX_BODY_BYTES)))
        .default(DEFAULT_MAX_BODY_BYTES, '10MB'),
    )
    .addOption(
      new Setting('--max-result-bytes <SIZE>', 'largest rows of a statement of a TypeScript handler')
        .argParser(valueParser((text) => parseBytes(text, HIGHEST_MAX_RESULT_BYTES)))
        .default(DEFAULT_MAX_RESULT_BYTES, '64MiB'),
    )
    .addOption(
      new Setting('--handler-timeout <TIME>', 'longest run of an SQL handler: 500ms, 30s, 2m')
        .argParser(valueParser((text) => parseDurationMs(text, 1)))
        .default(DEFAULT_HANDLER_TIMEOUT_MS, '30s'),
    )
    .addOption(
      new Setting('--event-retention <TIME>', 'how long events are kept for clients that come again')
        .argParser(valueParser((text) => parseDurationMs(text, 1)))
        .default(DEFAULT_EVENT_RETENTION_MS, '10m'),
    )
    .addOption(
      new Setting('--worker-timeout <TIME>', 'a worker process that does not react for this long is replaced')
        .argParser(valueParser((text) => parseDurationMs(text, 1000)))
        .default(DEFAULT_WORKER_TIMEOUT_MS, '10s'),
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
  howdah serve app.ts                            serve an application in TypeScript, and SQL
  howdah dev --sql sql/ app.ts                   the same while you write it
  howdah serve --memory --sql examples/          try something out and leave nothing behind
  howdah serve --database postgres://app@db/app  serve from a PostgreSQL server
  howdah serve --listen 0.0.0.0:80 --log-format json --data /var/lib/howdah
  howdah serve --listen '[::1]:0' --pg-listen off
  howdah serve --tls-dev                         HTTP/2 for browsers, on https://localhost:8443

${exitCodesHelp()}`,
    )
    .action(async (file: string | undefined, _flags: unknown, command: Command) =>
      run(serveSettings(command, file)),
    );
}
