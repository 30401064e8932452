// Gathers the calls of one turn of the event loop and sends them: those that change nothing together (batch-exchange.ts), the
// others each by itself. Knows which statements failed among others, and keeps these apart for a while.
import type { SqlCall } from './call.ts';
import type { ExchangeQueue } from './exchange-queue.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import type { ResetSender } from './reset-sender.ts';
import type { Exchange } from './session-exchange.ts';
import { hasRoomFor, MAX_BATCH_BYTES, MAX_BATCH_CALLS, type BatchOwner } from './batch-exchange.ts';
import { batchParts, parameterBytes, writeBatch } from './batch-writer.ts';
import { EPOCH_ASSERTION } from './epoch-guard.ts';
import { MAX_PREPARED_STATEMENTS, type PreparedStatements } from './prepared-statements.ts';
import { RESET_ROLE, RESETS_OF_READS } from './session-reset.ts';

/** Executions for which a statement that failed among others has a transaction of its own: one that fails often costs twice. */
const CALLS_APART = 64;

/** What it asks of its session. */
export interface TurnOwner {
  /** Sends what is in the writer. */
  sendExchange(exchange: Exchange): void;
  sendCall(call: SqlCall): void;
  flush(): void;
}

export class TurnSender implements BatchOwner {
  readonly #owner: TurnOwner;
  readonly #writer: MessageWriter;
  readonly #statements: PreparedStatements;
  readonly #resets: ResetSender;
  readonly #exchanges: ExchangeQueue;
  /** Calls of this turn, which are not sent yet. */
  #turn: SqlCall[] = [];
  #scheduled = false;
  #lost = false;
  /** Statements that failed among others, and for how many more executions they have a transaction of their own. */
  readonly #apart = new Map<string, number>();
  /** Of the calls that were sent last. */
  #epoch: string | null = null;
  readonly #endTurn = (): void => this.#send(false);

  /** @param exchanges those of the session, which say how much is on its way */
  constructor(
    owner: TurnOwner,
    writer: MessageWriter,
    statements: PreparedStatements,
    resets: ResetSender,
    exchanges: ExchangeQueue,
  ) {
    this.#owner = owner;
    this.#writer = writer;
    this.#statements = statements;
    this.#resets = resets;
    this.#exchanges = exchanges;
  }

  /** Calls that wait for the end of the turn, or for room behind it. */
  get length(): number {
    return this.#turn.length;
  }

  /** Sends a call when the turn ends. */
  add(call: SqlCall): void {
    this.#turn.push(call);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#endTurn);
  }

  /** An answer has come: there may be room for what waits. */
  progressed(): void {
    if (!this.#scheduled && this.#hasRoom()) this.#send(false);
  }

  /** Sends all that waits, however much is on its way: something else is to be sent behind it. */
  sendAll(): void {
    this.#send(true);
  }

  /** The session is gone: takes out what was not sent, and completes with 'lost' what comes back to be sent again. */
  lost(): SqlCall[] {
    this.#lost = true;
    const unsent = this.#turn;
    this.#turn = [];
    return unsent;
  }

  /** Sends what waits, as far as there is room for it. */
  #send(all: boolean): void {
    this.#scheduled = false;
    while (this.#hasRoom(all)) {
      this.#sendTogether(this.#turn.splice(0, MAX_BATCH_CALLS));
    }
    this.#owner.flush();
  }

  #hasRoom(forAll = false): boolean {
    const waiting = this.#turn.length;
    return forAll ? waiting > 0 : hasRoomFor(waiting, this.#exchanges.load);
  }

  #sendTogether(calls: readonly SqlCall[]): void {
    let batch: SqlCall[] = [];
    let bytes = 0;
    const sendBatch = (): void => {
      if (batch.length > 0) this.#sendBatch(batch, false);
      batch = [];
      bytes = 0;
    };
    for (const call of calls) {
      if (this.#lost) {
        call.complete({ kind: 'lost', reason: 'the session is gone' });
      } else if (call.interruptible !== true || call.resetAfter) {
        sendBatch();
        this.#owner.sendCall(call);
      } else if (this.#isApart(call.statement.name)) {
        sendBatch();
        this.#sendBatch([call], false);
      } else {
        const size = parameterBytes(call);
        if (
          batch.length === MAX_BATCH_CALLS ||
          batch[0]?.epoch !== call.epoch ||
          bytes + size > MAX_BATCH_BYTES
        )
          sendBatch();
        batch.push(call);
        bytes += size;
      }
    }
    sendBatch();
  }

  /** Sends calls that change nothing as one exchange. */
  #sendBatch(calls: readonly SqlCall[], retried: boolean): void {
    const parts = batchParts(calls);
    if (!this.#resets.isCertain) {
      const resets = [...RESETS_OF_READS.each, ...RESET_ROLE, ...RESETS_OF_READS.once];
      this.#resets.makeCertain([EPOCH_ASSERTION, ...resets, ...parts.map(({ text }) => text)]);
    }
    // What leaves nothing behind is not reset; a function that was taken for such may have been replaced in the meantime.
    const epoch = calls[0]?.epoch ?? null;
    const resetsFirst = epoch !== this.#epoch && this.#epoch !== null;
    this.#epoch = epoch;
    const options = { retried, resetsFirst };
    this.#owner.sendExchange(writeBatch(this.#writer, this.#statements, parts, options, this));
  }

  #isApart(statementName: string): boolean {
    const left = this.#apart.get(statementName);
    if (left === undefined) return false;
    if (left > 1) this.#apart.set(statementName, left - 1);
    else this.#apart.delete(statementName);
    return true;
  }

  /** For an exchange of several calls that was rolled back. */
  separate(calls: readonly SqlCall[], retried: boolean): void {
    for (const call of calls) {
      if (this.#lost) call.complete({ kind: 'lost', reason: 'the session is gone' });
      else this.#sendBatch([call], retried);
    }
  }

  /** For such an exchange, of which this statement failed. */
  sharedInVain(statementName: string): void {
    if (this.#apart.size >= MAX_PREPARED_STATEMENTS) this.#apart.clear();
    this.#apart.set(statementName, CALLS_APART);
  }

  /** For an exchange that prepared its statement in vain. */
  forgetStatement(name: string): void {
    this.#statements.forget(name);
  }

  /** For an exchange of which a reset failed. */
  resetFailed(): void {
    if (!this.#lost) this.#resets.failed();
  }
}
