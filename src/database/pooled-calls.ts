// Calls over a pooler that gives each transaction whichever backend is free: nothing is prepared by name, and what a call leaves
// behind is reset in the exchanges that hold the backend. Begins no batch of calls: batch-exchange.ts is one transaction anyway.
//
//   BEGIN, the call, advisory locks │ Sync ──▶ in a transaction, so the backend is held
//   COMMIT; resets │ Query ──▶ idle, the backend goes to somebody else
//
// COMMIT ends a failed transaction as ROLLBACK does, so the resets run whatever became of the call. Where COMMIT itself fails, the
// settings were rolled back with everything else, and the locks have been released before.
//
// A procedure that commits cannot run in a transaction block. Its resets are in its own exchange; where it fails, they are skipped,
// so they are sent once more behind it. A pooler keeps the backend for what it has read, which is so unless the last bytes of
// one write come to it apart.
import { BACKEND } from '../protocol/postgres/message-types.ts';
import { parseErrorFields, parseDataRow, isViolation } from '../protocol/postgres/backend-messages.ts';
import { writeQuery, writeSync } from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import type { ProtocolViolation } from '../protocol/postgres/message-splitter.ts';
import { unsendable } from './batch-writer.ts';
import type { GuardedStatement, PreparedStatement, SqlCall, SqlError, SqlParameter } from './call.ts';
import type { PreparedStatements, StatementText } from './prepared-statements.ts';
import type { LinkLoss } from './session-link.ts';
import { CallExchange, ResetExchange, type Exchange, type ExchangeOwner } from './session-exchange.ts';
import { preparedResets } from './session-reset.ts';

const BEGIN: StatementText = { name: '', text: 'BEGIN', parameterTypes: [] };
const UNLOCK: StatementText = {
  name: '',
  text: 'SELECT pg_catalog.pg_advisory_unlock_all()',
  parameterTypes: [],
};

export class PooledCalls {
  readonly #writer: MessageWriter;
  readonly #statements: PreparedStatements;
  readonly #resets: readonly string[];
  readonly #send: (exchange: Exchange) => void;
  readonly #owner: ExchangeOwner;

  /** @param send sends what is in the writer */
  constructor(
    writer: MessageWriter,
    statements: PreparedStatements,
    resets: readonly string[],
    send: (exchange: Exchange) => void,
    owner: ExchangeOwner,
  ) {
    this.#writer = writer;
    this.#statements = statements;
    this.#resets = resets;
    this.#send = send;
    this.#owner = owner;
  }

  send(
    call: SqlCall,
    statement: PreparedStatement | GuardedStatement,
    parameters: readonly SqlParameter[],
  ): void {
    const commits = call.statement.commits === true;
    const inBlock = call.resetAfter && !commits;
    try {
      if (inBlock) this.#write(BEGIN);
      this.#statements.write(statement, parameters, call.statement.resultFormat);
    } catch (error) {
      // Half a message must not be sent, nor the call be left without an answer.
      this.#writer.take();
      call.complete({ kind: 'failed', error: unsendable(error) });
      return;
    }
    const { followUp } = call;
    if (followUp !== undefined) this.#statements.write(followUp, [], followUp.resultFormat);
    if (inBlock) this.#write(UNLOCK);
    else if (call.resetAfter) for (const reset of preparedResets(this.#resets)) this.#write(reset);
    writeSync(this.#writer);
    const first = inBlock ? 1 : 0;
    const exchange = new PooledCallExchange(call, statement, first, inBlock, this.#owner);
    this.#send(exchange);
    if (!call.resetAfter) return;
    writeQuery(this.#writer, [...(inBlock ? ['COMMIT'] : []), ...this.#resets].join('; '));
    this.#send(inBlock ? new CommitExchange(exchange) : new ResetExchange());
  }

  #write(statement: StatementText): void {
    this.#statements.write(statement, [], 0);
  }
}

/** Takes of the statements of an exchange those that are the call's. */
class PooledCallExchange extends CallExchange {
  /** Where the call is among the statements. */
  readonly #index: number;
  #statement = 0;
  #followUpRow: (Buffer | null)[] = [];

  constructor(
    call: SqlCall,
    statement: PreparedStatement | GuardedStatement,
    index: number,
    held: boolean,
    owner: ExchangeOwner,
  ) {
    super(call, statement, true, true, owner, held || call.followUp !== undefined);
    this.#index = index;
  }

  override message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    const at = this.#statement - this.#index;
    if (type === BACKEND.commandComplete) this.#statement += 1;
    if (at === 1 && type === BACKEND.dataRow && this.call.followUp !== undefined) {
      const columns = parseDataRow(bytes, start, end);
      if (isViolation(columns)) return columns;
      this.#followUpRow = columns.map((column) => (column === null ? null : Buffer.from(column)));
      return null;
    }
    return at === 0 || type === BACKEND.errorResponse ? super.message(type, bytes, start, end) : null;
  }

  override over(refused: boolean): void {
    super.over(refused);
    const result = this.followed;
    if (result === null || this.call.followUp === undefined) return;
    const columns = result.kind === 'row' ? result.columns : [];
    this.followed = { kind: 'row', columns: [...columns, ...this.#followUpRow] };
    if (this.call.statement.commits === true || !this.call.resetAfter) this.call.complete(this.followed);
  }
}

/** Ends the transaction of a call, completes the call unless it has failed, and resets what it left. */
class CommitExchange implements Exchange {
  /** It may have run, whatever becomes of this. */
  readonly calls = [];
  readonly weight = 0;
  readonly #followed: CallExchange;
  #ended = false;
  #error: SqlError | null = null;

  constructor(followed: CallExchange) {
    this.#followed = followed;
  }

  get running(): readonly SqlCall[] {
    return this.#followed.followed === null ? [] : [this.#followed.call];
  }

  message(type: number, bytes: Buffer, start: number, end: number): ProtocolViolation | null {
    if (type === BACKEND.commandComplete) this.#ended = true;
    if (type === BACKEND.errorResponse && !this.#ended) this.#error ??= parseErrorFields(bytes, start, end);
    return null;
  }

  keep(): void {
    // Keeps nothing: the columns of the call were copied.
  }

  over(): void {
    const { call, followed } = this.#followed;
    if (followed === null) return;
    if (this.#error === null) call.complete(followed);
    else call.complete({ kind: 'failed', error: this.#error });
  }

  lost(loss: LinkLoss): void {
    const { call, followed } = this.#followed;
    if (followed === null) return;
    call.complete(loss.timedOut ? { kind: 'timeout' } : { kind: 'lost', reason: loss.reason });
  }
}
