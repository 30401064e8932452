// SQL as handlers in TypeScript run it. Types only: the sessions behind it are those of database/.

/** A row: values by column name. */
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * SQL with values in it, as sql`…` makes it: the texts between the values, and the values, which are sent as parameters and
 * never become part of the text; SQL among them is spliced in.
 */
export interface SqlText {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * Runs statements, each in a transaction of its own (in `transaction`: in that one).
 *
 * Parameters: null and undefined are null; strings, numbers, bigints and booleans as PostgreSQL reads them; Date is a
 * timestamptz; Uint8Array a bytea; arrays of these are arrays; what has objects in it is JSON, and so is whatever json() says.
 *
 * Values: int2, int4, float4, float8 are numbers; int8 is a number, or a bigint beyond 2^53; numeric stays text, so that it
 * loses nothing; boolean; json and jsonb are parsed; bytea is a Buffer; timestamptz is a Date; arrays of all these are
 * arrays; everything else is PostgreSQL's text.
 *
 * An error of PostgreSQL rejects with SqlFailure, which has SQLSTATE, detail and hint; rows that are larger than `maxResultBytes`
 * of the server reject with HowdahError HOWDAH_RESULT_TOO_LARGE, when the statement has run: take them by `stream`.
 */
export interface SqlClient {
  /** db`select … ${value} …`. */
  <Row = SqlRow>(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<Row[]>;
  /** `text` with `$1`, `$2` … for the parameters, or sql`…`. */
  query<Row = SqlRow>(text: string | SqlText, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Gives the number of rows that were changed (or, for a select, found). */
  execute(text: string | SqlText, parameters?: readonly unknown[]): Promise<number>;
  /**
   * Rows as they are taken: no more are fetched than the reader takes, about 256 KB ahead at most, and no more of them at once than
   * `maxResultBytes`. Ends its transaction when the loop over it ends. On a
   * server it holds a session meanwhile, on the embedded engine the engine: there up to 8 MB are fetched ahead.
   */
  stream<Row = SqlRow>(text: string | SqlText, parameters?: readonly unknown[]): AsyncIterable<Row>;
  /**
   * Runs `work` in a transaction on a session of its own; commits when it resolves, rolls back when it rejects. On the
   * embedded engine it takes its turn: everything else waits until it has ended.
   */
  transaction<T>(work: (db: SqlClient) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** How a transaction begins. */
export interface TransactionOptions {
  /** PostgreSQL's default, unless given. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Nothing can be changed in it. Default false. */
  readonly readOnly?: boolean;
}
