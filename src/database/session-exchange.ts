// The exchanges that a session can be in the middle of: a call, a statement of the cold path, a reset. Each takes the
// messages of its answer; the session finds out whose message it is.
import type { ProtocolViolation } from '../protocol/postgres/message-splitter.ts';
import type { CallResult, GuardedStatement, PreparedStatement, SqlCall, SqlError } from './call.ts';
import type { LinkLoss } from './session-link.ts';
import type { SqlResult } from './exchange-result.ts';
import { EPOCH_ASSERTION, saysEpochPassed } from './epoch-guard.ts';
import { isViolation, parseDataRow, parseErrorFields } from '../protocol/postgres/backend-messages.ts';
import { BACKEND } from '../protocol/postgres/message-types.ts';
import { ResultGatherer } from './exchange-result.ts';

export interface Exchange {
  /** The calls that have not run at all where this one has not. */
  readonly calls: readonly SqlCall[];
  /** The calls that are over when this one is, where these are others. */
  readonly running?: readonly SqlCall[];
  /** How much of a session's attention it takes, in calls. */
  readonly weight: number;
  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null;
  /** The bytes of the last messages go away: whatever is a view of them must be copied. */
  keep(): void;
  /** `refused`: it did not run at all. `inTransaction`: it left a transaction open. */
  over(refused: boolean, inTransaction: boolean): void;
  lost(loss: LinkLoss): void;
  /** Instead of `lost`: its calls, to be run again, each by itself. */
  takeBack?(): readonly SqlCall[];
}

/** What exchanges ask of their session. */
export interface ExchangeOwner {
  retry(call: SqlCall, statementName: string): void;
  callAsserted(call: SqlCall): void;
  forgetStatement(name: string): void;
  rollBack(): void;
}

/**
 * SQLSTATEs with which Bind fails on a statement that is not what it was: it was deallocated (26000
 * invalid_sql_statement_name), or a table or function behind it changed its columns (0A000 "cached plan must not change result
 * type").
 */
export const STALE_STATEMENT_CODES = new Set(['26000', '0A000']);

const NO_ROW: CallResult = { kind: 'no-row' };
const STALE: CallResult = { kind: 'stale' };

export class CallExchange implements Exchange {
  readonly weight = 1;
  readonly call: SqlCall;
  /** The result, where something behind the call is waited for. */
  followed: CallResult | null = null;
  /** That of the call, or the guarded one. */
  readonly #statementName: string;
  readonly #refusal: GuardedStatement['refusal'] | null;
  readonly #owner: ExchangeOwner;
  readonly #prepares: boolean;
  readonly #retried: boolean;
  readonly #held: boolean;
  #bound = false;
  /** Statements that are over. */
  #statement = 0;
  #columns: (Buffer | null)[] | null = null;
  #columnsAreViews = false;
  #error: SqlError | null = null;

  /** @param held another exchange completes the call, unless it fails */
  constructor(
    call: SqlCall,
    statement: PreparedStatement | GuardedStatement,
    prepares: boolean,
    retried: boolean,
    owner: ExchangeOwner,
    held = call.followUp !== undefined,
  ) {
    this.#held = held;
    this.call = call;
    this.#statementName = statement.name;
    this.#refusal = 'refusal' in statement ? statement.refusal : null;
    this.#prepares = prepares;
    this.#retried = retried;
    this.#owner = owner;
  }

  get calls(): readonly SqlCall[] {
    return [this.call];
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    switch (type) {
      case BACKEND.dataRow: {
        if (this.#columns !== null || this.#statement > 0) return null;
        const columns = parseDataRow(bytes, start, end);
        if (isViolation(columns)) return columns;
        this.#columns = columns;
        this.#columnsAreViews = true;
        return null;
      }
      case BACKEND.commandComplete:
        this.#statement += 1;
        return null;
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
    } else if (this.#columns === null && this.#refusal === 'no-row') {
      this.call.complete(STALE);
    } else if (this.#held) {
      this.keep();
      this.followed = this.#columns === null ? NO_ROW : { kind: 'row', columns: this.#columns };
    } else if (this.#columns !== null) {
      this.call.complete({ kind: 'row', columns: this.#columns });
    } else {
      this.call.complete(NO_ROW);
    }
  }

  lost(loss: LinkLoss): void {
    this.call.complete(loss.timedOut ? { kind: 'timeout' } : { kind: 'lost', reason: loss.reason });
  }

  #failed(error: SqlError): void {
    if (!this.#bound) {
      // What fails before BindComplete has not run, so running it again cannot do anything twice.
      if (!this.#prepares && !this.#retried && STALE_STATEMENT_CODES.has(error.code)) {
        this.#owner.retry(this.call, this.#statementName);
        return;
      }
      this.#owner.forgetStatement(this.#statementName);
    }
    if (this.#refusal === 'error' && saysEpochPassed(error)) this.call.complete(STALE);
    else this.call.complete({ kind: 'failed', error });
  }
}

/** What is asked behind a call. Completes the call, unless that was completed without. */
export class FollowUpExchange implements Exchange {
  /** It may have run, whatever becomes of this. */
  readonly calls = [];
  readonly weight = 0;
  readonly #followed: CallExchange;
  readonly #statementName: string;
  readonly #owner: ExchangeOwner;
  #columns: (Buffer | null)[] = [];
  #failed = false;

  constructor(followed: CallExchange, statementName: string, owner: ExchangeOwner) {
    this.#followed = followed;
    this.#statementName = statementName;
    this.#owner = owner;
  }

  get running(): readonly SqlCall[] {
    return this.#followed.followed === null ? [] : [this.#followed.call];
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    if (type === BACKEND.errorResponse) this.#failed = true;
    if (type !== BACKEND.dataRow) return null;
    const columns = parseDataRow(bytes, start, end);
    if (isViolation(columns)) return columns;
    this.#columns = columns;
    return null;
  }

  keep(): void {
    this.#columns = this.#columns.map((column) => (column === null ? null : Buffer.from(column)));
  }

  over(): void {
    // What is not there any more is prepared the next time.
    if (this.#failed) this.#owner.forgetStatement(this.#statementName);
    this.#complete();
  }

  lost(): void {
    this.#complete();
  }

  #complete(): void {
    const { call, followed } = this.#followed;
    if (followed === null) return;
    const columns = followed.kind === 'row' ? followed.columns : [];
    call.complete({ kind: 'row', columns: [...columns, ...this.#columns] });
  }
}

/** Asks whether the epoch of a call is that of the database, and has the call sent if so. */
export class AssertionExchange implements Exchange {
  readonly weight = 1;
  readonly #call: SqlCall;
  readonly #owner: ExchangeOwner;
  #error: SqlError | null = null;

  constructor(call: SqlCall, owner: ExchangeOwner) {
    this.#call = call;
    this.#owner = owner;
  }

  get calls(): readonly SqlCall[] {
    return [this.#call];
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    if (type === BACKEND.errorResponse) this.#error ??= parseErrorFields(bytes, start, end);
    return null;
  }

  keep(): void {
    // Keeps nothing.
  }

  over(): void {
    const error = this.#error;
    if (error === null) {
      this.#owner.callAsserted(this.#call);
      return;
    }
    if (saysEpochPassed(error)) {
      this.#call.complete(STALE);
      return;
    }
    this.#owner.forgetStatement(EPOCH_ASSERTION.name);
    this.#call.complete({ kind: 'failed', error });
  }

  lost(loss: LinkLoss): void {
    this.#call.complete(loss.timedOut ? { kind: 'timeout' } : { kind: 'lost', reason: loss.reason });
  }
}

export class GatheringExchange implements Exchange {
  readonly calls = [];
  readonly weight = 0;
  readonly #gatherer: ResultGatherer;
  /** Who rolls back what is left open; null where it is to stay open. */
  readonly #owner: ExchangeOwner | null;
  readonly #resolve: (results: SqlResult[]) => void;
  readonly #reject: (reason: Error) => void;

  constructor(
    owner: ExchangeOwner | null,
    resolve: (results: SqlResult[]) => void,
    reject: (reason: Error) => void,
    limitBytes = Infinity,
  ) {
    this.#gatherer = new ResultGatherer(limitBytes);
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
    const { failure, results } = this.#gatherer;
    if (failure !== null) this.#reject(failure);
    else this.#resolve(results);
  }

  lost(loss: LinkLoss): void {
    this.#reject(new Error(loss.timedOut ? `ended because it ran too long: ${loss.reason}` : loss.reason));
  }
}

/** A reset or a rollback, of which nobody waits for the answer. */
export class ResetExchange implements Exchange {
  readonly calls = [];
  readonly weight = 0;
  readonly #ended: (failed: boolean) => void;
  #failed = false;

  constructor(ended: (failed: boolean) => void = () => undefined) {
    this.#ended = ended;
  }

  message(type: number): ProtocolViolation | null {
    if (type === BACKEND.errorResponse) this.#failed = true;
    return null;
  }

  keep(): void {
    // Keeps nothing.
  }

  over(): void {
    this.#ended(this.#failed);
  }

  lost(): void {
    // What it would have reset is gone too.
  }
}
