// The exchanges that a session can be in the middle of: a call, a statement of the cold path, a reset. Each takes the
// messages of its answer; the session finds out whose message it is.
import type { ProtocolViolation } from '../protocol/postgres/message-splitter.ts';
import type { CallResult, SqlCall, SqlError } from './call.ts';
import type { LinkLoss } from './session-link.ts';
import type { SqlResult } from './exchange-result.ts';
import { EPOCH_ASSERTION, EPOCH_PASSED } from './epoch-guard.ts';
import { isViolation, parseDataRow, parseErrorFields } from '../protocol/postgres/backend-messages.ts';
import { BACKEND } from '../protocol/postgres/message-types.ts';
import { ResultGatherer, SqlFailure } from './exchange-result.ts';

export interface Exchange {
  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null;
  /** The bytes of the last messages go away: whatever is a view of them must be copied. */
  keep(): void;
  /** `refused`: it did not run at all. `inTransaction`: it left a transaction open. */
  over(refused: boolean, inTransaction: boolean): void;
  lost(loss: LinkLoss): void;
}

/** What exchanges ask of their session. */
export interface ExchangeOwner {
  retry(call: SqlCall, statementName: string): void;
  forgetStatement(name: string): void;
  rollBack(): void;
}

/**
 * SQLSTATEs with which Bind fails on a statement that is not what it was: it was deallocated (26000
 * invalid_sql_statement_name), or a table or function behind it changed its columns (0A000 "cached plan must not change result
 * type").
 */
const STALE_STATEMENT_CODES = new Set(['26000', '0A000']);

const NO_ROW: CallResult = { kind: 'no-row' };
const STALE: CallResult = { kind: 'stale' };

/**
 * What refuses an epoch that has passed: nothing here (the link's far end does, or the call has no epoch); a condition
 * inside of the statement, which then returns no row; or an assertion in front of it, which fails.
 */
export type CallGuard = 'none' | 'inside' | 'before';

export class CallExchange implements Exchange {
  readonly call: SqlCall;
  /** As it was prepared: that of the call, or the guarded one. */
  readonly #statementName: string;
  readonly #guard: CallGuard;
  /** Whether the assertion in front is not over. */
  #asserting: boolean;
  readonly #owner: ExchangeOwner;
  readonly #prepares: boolean;
  readonly #retried: boolean;
  #bound = false;
  #columns: (Buffer | null)[] | null = null;
  #columnsAreViews = false;
  #error: SqlError | null = null;

  constructor(
    call: SqlCall,
    statementName: string,
    guard: CallGuard,
    prepares: boolean,
    retried: boolean,
    owner: ExchangeOwner,
  ) {
    this.call = call;
    this.#statementName = statementName;
    this.#guard = guard;
    this.#asserting = guard === 'before';
    this.#prepares = prepares;
    this.#retried = retried;
    this.#owner = owner;
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    if (this.#asserting && type !== BACKEND.errorResponse) {
      this.#asserting = type !== BACKEND.commandComplete;
      return null;
    }
    switch (type) {
      case BACKEND.dataRow: {
        if (this.#columns !== null) return null;
        const columns = parseDataRow(bytes, start, end);
        if (isViolation(columns)) return columns;
        this.#columns = columns;
        this.#columnsAreViews = true;
        return null;
      }
      case BACKEND.bindComplete:
        this.#bound = true;
        return null;
      case BACKEND.errorResponse:
        this.#error ??= parseErrorFields(bytes, start, end);
        return null;
      default:
        return null;
    }
  }

  keep(): void {
    if (!this.#columnsAreViews || this.#columns === null) return;
    this.#columns = this.#columns.map((column) => (column === null ? null : Buffer.from(column)));
    this.#columnsAreViews = false;
  }

  over(refused: boolean): void {
    if (refused) {
      if (this.#prepares) this.#owner.forgetStatement(this.#statementName);
      this.call.complete(STALE);
    } else if (this.#error !== null) {
      this.#failed(this.#error);
    } else if (this.#columns !== null) {
      this.call.complete({ kind: 'row', columns: this.#columns });
    } else {
      this.call.complete(this.#guard === 'inside' ? STALE : NO_ROW);
    }
  }

  lost(loss: LinkLoss): void {
    this.call.complete(loss.timedOut ? { kind: 'timeout' } : { kind: 'lost', reason: loss.reason });
  }

  #failed(error: SqlError): void {
    if (!this.#bound) {
      if (this.#prepares) this.#owner.forgetStatement(this.#statementName);
      if (this.#asserting && error.code === EPOCH_PASSED) {
        this.call.complete(STALE);
        return;
      }
      // What fails before BindComplete has not run, so running it again cannot do anything twice.
      if (!this.#retried && (!this.#prepares || this.#asserting) && STALE_STATEMENT_CODES.has(error.code)) {
        if (this.#asserting) this.#owner.forgetStatement(EPOCH_ASSERTION.name);
        this.#owner.retry(this.call, this.#statementName);
        return;
      }
      this.#owner.forgetStatement(this.#asserting ? EPOCH_ASSERTION.name : this.#statementName);
    }
    this.call.complete({ kind: 'failed', error });
  }
}

export class GatheringExchange implements Exchange {
  readonly #gatherer = new ResultGatherer();
  /** Who rolls back what is left open; null where it is to stay open. */
  readonly #owner: ExchangeOwner | null;
  readonly #resolve: (results: SqlResult[]) => void;
  readonly #reject: (reason: Error) => void;

  constructor(
    owner: ExchangeOwner | null,
    resolve: (results: SqlResult[]) => void,
    reject: (reason: Error) => void,
  ) {
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    return this.#gatherer.message(type, bytes, start, end);
  }

  keep(): void {
    // Gathered values are strings of their own.
  }

  over(_refused: boolean, inTransaction: boolean): void {
    if (inTransaction) this.#owner?.rollBack();
    const { error, results } = this.#gatherer;
    if (error !== null) this.#reject(new SqlFailure(error));
    else this.#resolve(results);
  }

  lost(loss: LinkLoss): void {
    this.#reject(new Error(loss.timedOut ? `ended because it ran too long: ${loss.reason}` : loss.reason));
  }
}

/** A reset or a rollback, of which nobody waits for the answer. */
export class ResetExchange implements Exchange {
  message(): ProtocolViolation | null {
    return null;
  }

  keep(): void {
    // Keeps nothing.
  }

  over(): void {
    // Nobody waits for it.
  }

  lost(): void {
    // What it would have reset is gone too.
  }
}
