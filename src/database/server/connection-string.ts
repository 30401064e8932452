// Connection strings and PG* variables as libpq reads them (PostgreSQL manual, "Database Connection Control Functions"),
// turned into what is needed to connect. Connects to nothing; reads no file but that of services, and looks whether a UNIX socket is there.
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { HowdahError } from '../../errors.ts';
import { findService } from './service-file.ts';

export interface ServerHost {
  /** A name, an address, or the directory of a UNIX socket (begins with a slash). */
  readonly host: string;
  readonly port: number;
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

const SESSION_ATTRIBUTES = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const;
/** Which of several hosts will do. */
export type SessionAttributes = (typeof SESSION_ATTRIBUTES)[number];

const CHANNEL_BINDINGS = ['disable', 'prefer', 'require'] as const;
/** Whether the login is bound to the TLS connection (RFC 5929 §4). `prefer` does without, as `disable` does. */
export type ChannelBinding = (typeof CHANNEL_BINDINGS)[number];

export interface ConnectionSettings {
  /** Tried in this order; never empty. */
  readonly hosts: readonly ServerHost[];
  readonly user: string;
  /** null: none given; the password file may have one. */
  readonly password: string | null;
  readonly passwordFile: string | null;
  readonly database: string;
  readonly sslMode: SslMode;
  /** File, or `system`. */
  readonly sslRootCertificate: string | null;
  readonly sslCertificate: string | null;
  readonly sslKey: string | null;
  readonly channelBinding: ChannelBinding;
  /** For one host. */
  readonly connectTimeoutMs: number;
  /** Command-line options for the backend (`-c name=value`). */
  readonly options: string | null;
  readonly targetSessionAttributes: SessionAttributes;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Parameters = Map<string, string>;

const DEFAULT_PORT = 5432;
/** libpq waits for ever; a start that hangs says nothing. */
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_DIRECTORIES = ['/var/run/postgresql', '/tmp'];

/** Parameters of libpq that are known here, with the variable that stands for each. */
const VARIABLES: readonly (readonly [string, string | null])[] = [
  ['host', 'PGHOST'],
  ['port', 'PGPORT'],
  ['user', 'PGUSER'],
  ['password', 'PGPASSWORD'],
  ['passfile', 'PGPASSFILE'],
  ['dbname', 'PGDATABASE'],
  ['sslmode', 'PGSSLMODE'],
  ['sslrootcert', 'PGSSLROOTCERT'],
  ['sslcert', 'PGSSLCERT'],
  ['sslkey', 'PGSSLKEY'],
  ['channel_binding', 'PGCHANNELBINDING'],
  ['connect_timeout', 'PGCONNECT_TIMEOUT'],
  ['options', 'PGOPTIONS'],
  ['target_session_attrs', 'PGTARGETSESSIONATTRS'],
  ['service', 'PGSERVICE'],
  // Without effect here.
  ['application_name', null],
  ['fallback_application_name', null],
  ['client_encoding', null],
  ['gssencmode', null],
  ['keepalives', null],
  ['keepalives_idle', null],
  ['keepalives_interval', null],
  ['keepalives_count', null],
  ['tcp_user_timeout', null],
];
const KNOWN = new Set(VARIABLES.map(([name]) => name));

/** What `--database` takes in place of a connection string: DATABASE_URL, or the PG* variables alone. */
const FROM_ENVIRONMENT = 'env';

/**
 * @param text `postgres://…`, `postgresql://…`, `host=… dbname=…`, or `env`
 * @throws HowdahError HOWDAH_DATABASE_URL where it cannot be read
 */
export function parseConnectionString(text: string, env: Environment): ConnectionSettings {
  const given = text === FROM_ENVIRONMENT ? (env['DATABASE_URL'] ?? '') : text;
  const parameters = /^postgres(?:ql)?:\/\//.test(given) ? parseUri(given) : parseKeywords(given);
  const service = parameters.get('service') ?? nonEmpty(env['PGSERVICE']);
  if (service !== null) {
    for (const [name, value] of parametersOf(service, env))
      if (!parameters.has(name)) parameters.set(name, value);
  }
  for (const name of parameters.keys()) if (!KNOWN.has(name)) throw bad(`the parameter ${name} is not known`);
  for (const [name, variable] of VARIABLES) {
    const value = variable === null ? undefined : env[variable];
    if (!parameters.has(name) && value !== undefined && value !== '') parameters.set(name, value);
  }
  return settings(parameters);
}

function parametersOf(service: string, env: Environment): ReadonlyMap<string, string> {
  try {
    return findService(service, env);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

/** Where it goes, for people: no password. */
export function describeHost({ host, port }: ServerHost, database: string): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${name}:${port}/${database}`;
}

function settings(parameters: Parameters): ConnectionSettings {
  const get = (name: string): string | null => nonEmpty(parameters.get(name));
  const user = get('user') ?? userInfo().username;
  return {
    hosts: hostList(get('host'), get('port')),
    user,
    password: get('password'),
    passwordFile: get('passfile'),
    database: get('dbname') ?? user,
    sslMode: choice('sslmode', get('sslmode') ?? 'prefer', SSL_MODES),
    sslRootCertificate: get('sslrootcert'),
    sslCertificate: get('sslcert'),
    sslKey: get('sslkey'),
    channelBinding: choice('channel_binding', get('channel_binding') ?? 'prefer', CHANNEL_BINDINGS),
    connectTimeoutMs: timeout(get('connect_timeout')),
    options: get('options'),
    targetSessionAttributes: choice(
      'target_session_attrs',
      get('target_session_attrs') ?? 'any',
      SESSION_ATTRIBUTES,
    ),
  };
}

/** `postgres://user:password@host1:port1,host2:port2/database?parameter=value`; every part may be missing. */
function parseUri(text: string): Parameters {
  const [, user, password, hosts = '', database, query] =
    /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
      text,
    ) ?? [];
  if (
    hosts === '' &&
    user === undefined &&
    database === undefined &&
    query === undefined &&
    !text.endsWith('//')
  ) {
    throw bad('it is no URL of the form postgres://user@host:port/database');
  }
  const parameters: Parameters = new Map();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') parameters.set(name, decode(value));
  };
  set('user', user);
  set('password', password);
  set('dbname', database);
  const listed = hosts.split(',').map(splitHost);
  if (hosts !== '') {
    parameters.set('host', listed.map(([host]) => decode(host)).join(','));
    if (listed.some(([, port]) => port !== ''))
      parameters.set('port', listed.map(([, port]) => port).join(','));
  }
  for (const part of (query ?? '').split('&')) {
    if (part === '') continue;
    const [name = '', value = ''] = part.split(/=(.*)/s);
    if (name === 'ssl' && value === 'true') parameters.set('sslmode', 'require');
    else parameters.set(decode(name), decode(value));
  }
  return parameters;
}

function splitHost(text: string): [host: string, port: string] {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw bad(`${text} is no host and port`);
  return [host, port];
}

/** `host=localhost dbname='my db'`: a backslash takes the next character as it is. */
function parseKeywords(text: string): Parameters {
  const parameters: Parameters = new Map();
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/suy;
  let end = 0;
  for (let match = pair.exec(text); match !== null; match = pair.exec(text)) {
    parameters.set(match[1] ?? '', (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/gsu, '$1'));
    end = pair.lastIndex;
  }
  if (text.slice(end).trim() !== '') throw bad('it is neither a URL postgres://… nor a list name=value');
  return parameters;
}

function hostList(host: string | null, port: string | null): ServerHost[] {
  const ports = (port ?? '').split(',').map((text) => {
    const number = text === '' ? DEFAULT_PORT : Number(text);
    if (!Number.isInteger(number) || number < 1 || number > 65_535) throw bad(`${text} is no port`);
    return number;
  });
  const hosts = (host ?? '').split(',');
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw bad(`${ports.length} ports for ${hosts.length} hosts`);
  }
  return hosts.map((name, i) => {
    const chosen = ports[ports.length === 1 ? 0 : i] ?? DEFAULT_PORT;
    return { host: name === '' ? defaultHost(chosen) : name, port: chosen };
  });
}

/** A UNIX socket where there is one, as libpq does. */
function defaultHost(port: number): string {
  const found = SOCKET_DIRECTORIES.find((directory) => existsSync(socketPath(directory, port)));
  return found ?? 'localhost';
}

export function socketPath(directory: string, port: number): string {
  return `${directory}/.s.PGSQL.${port}`;
}

function timeout(text: string | null): number {
  if (text === null) return DEFAULT_CONNECT_TIMEOUT_MS;
  const seconds = Number(text);
  if (!Number.isInteger(seconds)) throw bad(`connect_timeout is ${text}, not whole seconds`);
  // As in libpq, where 1 means 2.
  return seconds <= 0 ? DEFAULT_CONNECT_TIMEOUT_MS : Math.max(2, seconds) * 1000;
}

function choice<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found === undefined) throw bad(`${name} is ${value}, not one of ${choices.join(', ')}`);
  return found;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('its percent-encoding is broken');
  }
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** Never repeats the text: it may have a password in it. */
function bad(reason: string): HowdahError {
  return new HowdahError('HOWDAH_DATABASE_URL', reason);
}
