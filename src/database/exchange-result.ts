// Gathers what one exchange of the cold path returned: all result sets, in text format. The hot path does not use it.
import type { ProtocolViolation } from '../protocol/postgres/message-splitter.ts';
import type { ColumnDescription } from '../protocol/postgres/backend-messages.ts';
import type { SqlError } from './call.ts';
import {
  isViolation,
  parseCommandTag,
  parseDataRow,
  parseErrorFields,
  parseRowDescription,
} from '../protocol/postgres/backend-messages.ts';
import { BACKEND } from '../protocol/postgres/message-types.ts';
import { HowdahError } from '../errors.ts';

/** One statement's result. Values are in PostgreSQL's text format; null is SQL's null. */
export interface SqlResult {
  readonly fields: readonly ColumnDescription[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** `SELECT 3`, `INSERT 0 1`, `CREATE TABLE`; empty for an empty statement. */
  readonly tag: string;
}

/** The first of several results; an empty one where there is none. */
export function firstResult(results: readonly SqlResult[]): SqlResult {
  return results[0] ?? { fields: [], rows: [], tag: '' };
}

/** An error that PostgreSQL reported to `query` or `exec`. */
export class SqlFailure extends Error {
  /** SQLSTATE (`code`), message, detail, hint and where. */
  readonly sql: SqlError;

  constructor(error: SqlError) {
    super(error.message);
    this.name = 'SqlFailure';
    this.sql = error;
  }
}

export class ResultGatherer {
  readonly results: SqlResult[] = [];
  error: SqlError | null = null;
  readonly #limitBytes: number;
  /** Of the rows, as PostgreSQL sends them. */
  #bytes = 0;
  #fields: ColumnDescription[] = [];
  #rows: (string | null)[][] = [];

  /** @param limitBytes of rows that are kept; beyond, all of them are dropped */
  constructor(limitBytes = Infinity) {
    this.#limitBytes = limitBytes;
  }

  /** Why there are no results. */
  get failure(): Error | null {
    if (this.#bytes > this.#limitBytes) {
      return new HowdahError('HOWDAH_RESULT_TOO_LARGE', `more than ${this.#limitBytes} bytes`);
    }
    return this.error === null ? null : new SqlFailure(this.error);
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    switch (type) {
      case BACKEND.rowDescription: {
        const fields = parseRowDescription(bytes, start, end);
        if (isViolation(fields)) return fields;
        this.#fields = fields;
        return null;
      }
      case BACKEND.dataRow: {
        this.#bytes += end - start;
        if (this.#bytes > this.#limitBytes) {
          this.#rows = [];
          return null;
        }
        const columns = parseDataRow(bytes, start, end);
        if (isViolation(columns)) return columns;
        this.#rows.push(columns.map((column) => (column === null ? null : column.toString('utf8'))));
        return null;
      }
      case BACKEND.commandComplete:
        this.#finish(parseCommandTag(bytes, start, end));
        return null;
      case BACKEND.emptyQueryResponse:
        this.#finish('');
        return null;
      case BACKEND.errorResponse:
        this.error ??= parseErrorFields(bytes, start, end);
        return null;
      default:
        return null;
    }
  }

  #finish(tag: string): void {
    this.results.push({ fields: this.#fields, rows: this.#rows, tag });
    this.#fields = [];
    this.#rows = [];
  }
}
