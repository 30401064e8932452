// `db`: what handlers in TypeScript run SQL with, on the sessions of their worker. Values are those of database/values.ts.
import { NoSessionError, type Database, type SetupSession } from '../database/database.ts';
import { SqlFailure, type SqlResult } from '../database/exchange-result.ts';
import { parameterText } from '../database/values.ts';
import { HowdahError } from '../errors.ts';
import { answerAsked, askedStatus } from '../web/asked-failure.ts';
import type { Exchange } from '../web/exchange.ts';
import type { SqlClient, SqlRow, SqlText, TransactionOptions } from '../web/sql-client.ts';
import { answerOutcome } from './answer-outcome.ts';
import { CallPlace, hideFrames } from './call-place.ts';
import type { CatalogOptions } from './catalog-options.ts';
import { jsonResponse, objectsOf } from './sql-rows.ts';
import { fetchBatches, streamRows, ROWS_AHEAD, ROWS_AHEAD_OF_ENGINE } from './row-stream.ts';
import { isSqlText, renderSql } from './sql-text.ts';

/** OIDs of types whose text is a body as it is, and its content type. */
const TEXT_TYPES: ReadonlyMap<number, string> = new Map([
  [25, 'text/plain; charset=utf-8'],
  [1043, 'text/plain; charset=utf-8'],
  [1042, 'text/plain; charset=utf-8'],
  [114, 'application/json'],
  [3802, 'application/json'],
]);
const BYTEA = 17;

hideFrames(import.meta.url);

type Parameters = readonly unknown[];

/** Runs one statement, in a transaction of its own or the one that it belongs to. */
type Run = (text: string, parameters: readonly (string | null)[]) => Promise<SqlResult>;

/** What is behind a client. */
export class Statements {
  readonly #run: Run;
  readonly #options: CatalogOptions;

  constructor(run: Run, options: CatalogOptions) {
    this.#run = run;
    this.#options = options;
  }

  async gather(text: string, values: Parameters): Promise<SqlResult> {
    const result = await this.#run(text, values.map(parameterText));
    return result;
  }

  /** Runs a statement and answers with what it gives (sql`…` as the target of a route). Never rejects. */
  async answer(exchange: Exchange, text: string, values: Parameters): Promise<void> {
    try {
      this.#respond(exchange, text, await this.gather(text, values));
    } catch (error) {
      this.#failed(exchange, text, error);
    }
  }

  #respond(exchange: Exchange, text: string, result: SqlResult): void {
    const [column, ...others] = result.fields;
    if (column === undefined) {
      exchange.respond({ status: 204, fields: [], body: null });
      return;
    }
    if (others.length > 0) {
      exchange.respond(jsonResponse(objectsOf(result)));
      return;
    }
    const value = result.rows[0]?.[0];
    const contentType = TEXT_TYPES.get(column.typeOid);
    if (value === undefined) {
      exchange.fail(404);
    } else if (value === null) {
      exchange.respond({ status: 204, fields: [], body: null });
    } else if (column.typeOid === BYTEA) {
      const outcome = Buffer.from(value.slice(2), 'hex');
      answerOutcome(this.#options, exchange, Buffer.alloc(0), outcome, (reason) =>
        this.#failed(exchange, text, new Error(reason)),
      );
    } else if (contentType !== undefined) {
      exchange.respond({ status: 200, fields: ['content-type', contentType], body: value });
    } else {
      exchange.respond(jsonResponse(objectsOf(result)[0]?.[column.name]));
    }
  }

  #failed(exchange: Exchange, text: string, error: unknown): void {
    const sql = error instanceof SqlFailure ? error.sql : null;
    const asked = askedStatus(sql?.code ?? null);
    if (asked !== null && asked < 500) {
      answerAsked(exchange, asked, sql?.message ?? '');
      return;
    }
    this.#options.observer.observe({
      kind: 'handler-failed',
      id: exchange.id,
      handler: text.trim().split('\n', 1)[0] ?? '',
      sqlState: sql?.code ?? null,
      message: error instanceof Error ? error.message : String(error),
      detail: sql?.detail ?? null,
      hint: error instanceof HowdahError ? error.hint : (sql?.hint ?? null),
      where: sql?.where ?? null,
    });
    if (asked !== null) answerAsked(exchange, asked, sql?.message ?? '');
    else if (error instanceof HowdahError && error.status !== null && error.status !== 500)
      exchange.fail(error.status);
    else if (!this.#options.dev) exchange.fail(500);
    else {
      const message = error instanceof Error ? error.message : String(error);
      exchange.respond({
        status: 500,
        fields: ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'],
        body: `Internal server error (request ${exchange.id})\n\n${message}\n\n${text}\n`,
      });
    }
  }
}

const statements = new WeakMap<SqlClient, Statements>();

/** What is behind a client that databaseClient() made. */
export function statementsOf(client: SqlClient): Statements {
  const found = statements.get(client);
  if (found === undefined) throw new TypeError('this is no db of howdah');
  return found;
}

export function databaseClient(database: Database, options: CatalogOptions): SqlClient {
  const lend = <T>(use: (session: SetupSession) => Promise<T>): Promise<T> =>
    database.withSession(use).catch((error: unknown) => {
      if (!(error instanceof NoSessionError)) throw error;
      throw new HowdahError('HOWDAH_DATABASE_BUSY', error.message, { cause: error });
    });
  const { handlerTimeoutMs: takeTimeoutMs, maxResultBytes } = options;
  const ahead = database.lendsEngine ? ROWS_AHEAD_OF_ENGINE : ROWS_AHEAD;
  return makeClient({
    run: (text, parameters) => lend((session) => session.query(text, parameters, maxResultBytes)),
    transaction: (work, how) => lend((session) => inTransaction(session, work, how, options)),
    stream: (text, parameters) =>
      streamRows(lend, text, parameters, { ...ahead, takeTimeoutMs, maxFetchBytes: maxResultBytes }),
    options,
  });
}

interface ClientParts {
  readonly run: Run;
  readonly transaction: SqlClient['transaction'];
  readonly stream: (text: string, parameters: readonly (string | null)[]) => AsyncIterable<SqlRow>;
  readonly options: CatalogOptions;
}

function makeClient({ run, transaction, stream, options }: ClientParts): SqlClient {
  const gather = async (source: string | SqlText, parameters: Parameters = []): Promise<SqlResult> => {
    const { text, values } = statementOf(source, parameters);
    const place = options.dev ? new CallPlace() : null;
    try {
      return await run(text, values.map(parameterText));
    } catch (error) {
      throw place?.of(error) ?? error;
    }
  };
  const rows = async <Row>(source: string | SqlText, parameters?: Parameters): Promise<Row[]> =>
    objectsOf(await gather(source, parameters)) as Row[];
  const tagged = <Row>(strings: TemplateStringsArray, ...values: Parameters): Promise<Row[]> => {
    if (!Array.isArray(strings) || !('raw' in strings)) {
      return Promise.reject(
        new TypeError('db is called as a tag, db`select …`; or db.query(text, parameters)'),
      );
    }
    return rows({ strings, values });
  };
  const client: SqlClient = Object.assign(tagged, {
    query: rows,
    execute: async (source: string | SqlText, parameters?: Parameters) =>
      countOf((await gather(source, parameters)).tag),
    stream: <Row>(source: string | SqlText, parameters: Parameters = []) => {
      const { text, values } = statementOf(source, parameters);
      return stream(text, values.map(parameterText)) as AsyncIterable<Row>;
    },
    transaction,
  });
  statements.set(client, new Statements(run, options));
  return client;
}

function statementOf(
  source: string | SqlText,
  parameters: Parameters,
): { readonly text: string; readonly values: Parameters } {
  if (isSqlText(source)) {
    if (parameters.length > 0)
      throw new TypeError('sql`…` has its values in it: there are no parameters beside it');
    return renderSql(source, null);
  }
  if (typeof source !== 'string') throw new TypeError('SQL is a text, or sql`…`');
  if (!Array.isArray(parameters)) throw new TypeError('the parameters of SQL are an array');
  return { text: source, values: parameters };
}

/** `INSERT 0 3`, `UPDATE 2`, `SELECT 5`. */
const countOf = (tag: string): number => Number(/(\d+)$/.exec(tag)?.[1] ?? 0);

const ISOLATIONS = new Set(['read committed', 'repeatable read', 'serializable']);

async function inTransaction<T>(
  session: SetupSession,
  work: (db: SqlClient) => Promise<T>,
  { isolation, readOnly }: TransactionOptions = {},
  options: CatalogOptions,
): Promise<T> {
  if (isolation !== undefined && !ISOLATIONS.has(isolation)) {
    throw new TypeError(`there is no isolation level ${JSON.stringify(isolation)}`);
  }
  const modes = [
    ...(isolation === undefined ? [] : [`isolation level ${isolation}`]),
    ...(readOnly === true ? ['read only'] : []),
  ];
  await session.exec(`begin ${modes.join(', ')}`);
  let over = false;
  const assertOpen = (): void => {
    if (over) throw new Error('the transaction is over');
  };
  const run: Run = async (text, parameters) => {
    assertOpen();
    return session.query(text, parameters, options.maxResultBytes);
  };
  let savepoints = 0;
  const client = makeClient({
    run,
    transaction: async (inner) => {
      // A transaction in a transaction is a savepoint.
      assertOpen();
      const name = `howdah_${++savepoints}`;
      await session.exec(`savepoint ${name}`);
      try {
        const result = await inner(client);
        await session.exec(`release ${name}`);
        return result;
      } catch (error) {
        await session.exec(`rollback to ${name}`);
        throw error;
      }
    },
    stream: async function* (text, parameters) {
      assertOpen();
      for await (const { rows } of fetchBatches(session, text, parameters, options.maxResultBytes))
        yield* rows;
    },
    options,
  });
  const timer = Promise.withResolvers<never>();
  // Nobody may hold a session, or the engine, for ever.
  const timeout = setTimeout(() => {
    over = true;
    timer.reject(new Error(`the transaction took longer than ${options.handlerTimeoutMs} ms`));
  }, options.handlerTimeoutMs);
  try {
    const result = await Promise.race([work(client), timer.promise]);
    over = true;
    const [committed] = await session.exec('commit');
    if (committed?.tag === 'ROLLBACK')
      throw new Error('the transaction was rolled back: a statement in it had failed');
    return result;
  } catch (error) {
    if (!over) {
      over = true;
      await session.exec('rollback');
    }
    throw error;
  } finally {
    clearTimeout(timeout);
  }
}
