// A session with a running server over its gateway: one statement at a time, values as PostgreSQL writes them. Built on
// the protocol of the pg package; prints nothing.
import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import type { ClientConfig, Submittable } from 'pg';
import { HowdahError } from '../errors.ts';
import type { ServerAddress } from './server-address.ts';

export interface ResultColumn {
  readonly name: string;
  /** OID of its type. */
  readonly type: number;
}

/** What a statement gives, in order; several results where a rule or a function text makes several. */
export interface ResultSink {
  /** Before the rows of a result that has some, or could have. */
  columns(columns: readonly ResultColumn[]): void;
  row(values: readonly (string | null)[]): void;
  /** `tag` is the command tag: `INSERT 0 1`. */
  complete(tag: string): void;
  /** Raw output of COPY … TO STDOUT. */
  copied(data: Buffer): void;
}

export interface SqlSession {
  /** Runs one statement. A SQL error is thrown as pg's DatabaseError, a lost connection as HOWDAH_NO_SERVER. */
  run(statement: string, sink: ResultSink): Promise<void>;
  onNotice(listener: (notice: ServerMessage) => void): void;
  close(): Promise<void>;
}

/** An error or notice of PostgreSQL, as far as a shell shows it. */
export interface ServerMessage {
  readonly severity?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly where?: string | undefined;
  /** 1-based, in characters. */
  readonly position?: string | undefined;
}

/** A server on the same machine that does not answer for this long is stuck. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Throws HOWDAH_NO_SERVER if nobody is there. */
export async function openSession(address: ServerAddress): Promise<SqlSession> {
  const client = new Client({ ...clientConfig(address), connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that is lost between statements: the next statement will say so.
  client.on('error', () => {});
  const unreachable = (error: unknown): unknown => {
    if (error instanceof DatabaseError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new HowdahError('HOWDAH_NO_SERVER', `${addressText(address)}: ${reason}`, { cause: error });
  };
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(error);
  }
  return {
    run: (statement, sink) =>
      new Promise((resolve, reject) => {
        client.query(new StatementRun(statement, sink, resolve, (error) => reject(unreachable(error))));
      }),
    onNotice(listener) {
      client.on('notice', listener);
    },
    close: () => client.end(),
  };
}

function clientConfig(address: ServerAddress): ClientConfig {
  if ('url' in address) return { connectionString: address.url, user: undefined };
  // The embedded engine has one user and one database; what is said here is not looked at.
  const config: ClientConfig = { user: 'postgres', database: 'postgres' };
  if ('path' in address) return { ...config, stream: () => new SocketAt(address.path) };
  return { ...config, host: address.host, port: address.port };
}

const addressText = (address: ServerAddress): string => {
  if ('url' in address) return address.url.replace(/:[^:@/]*@/, ':…@');
  return 'path' in address ? address.path : `${address.host}:${address.port}`;
};

/** pg takes the directory of a UNIX socket and makes up the file's name; this goes to the very path. */
class SocketAt extends Socket {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  // pg calls it with a port and a host, and looks at nothing that it returns.
  override connect(): this {
    return super.connect({ path: this.#path });
  }
}

/** What pg gives to a query object in its queue, for the simple query protocol. */
interface WireConnection {
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

/** A query object (as pg-query-stream and pg-cursor are) that keeps whole command tags and values as they come. */
class StatementRun implements Submittable {
  readonly #text: string;
  readonly #sink: ResultSink;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(text: string, sink: ResultSink, resolve: () => void, reject: (error: Error) => void) {
    this.#text = text;
    this.#sink = sink;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: unknown): void {
    (connection as WireConnection).query(this.#text);
  }

  handleRowDescription(message: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#sink.columns(message.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })));
  }

  handleDataRow(message: { fields: readonly (string | null)[] }): void {
    this.#sink.row(message.fields);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#sink.complete(message.text);
  }

  handleCopyInResponse(connection: WireConnection): void {
    connection.sendCopyFail('howdah sql does not send data for COPY … FROM STDIN; psql does');
  }

  handleCopyData(message: { chunk: Buffer }): void {
    this.#sink.copied(message.chunk);
  }

  handleEmptyQuery(): void {
    // Nothing ran: there is nothing to show.
  }

  handlePortalSuspended(): void {
    // Part of pg's contract; the simple query protocol never suspends.
  }

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: Error): void {
    this.#reject(error);
  }
}
