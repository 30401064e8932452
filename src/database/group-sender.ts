// Gathers calls of one statement that leave nothing behind and has them run as rows of one execution, over links whose far end looks at epochs
// itself and runs one exchange at a time (the embedded engine). Only what has been quick of late is sent so: whatever runs too long there is ended
// with all that shares its exchange. Over other links, turn-sender.ts does the like.
import { writeSync } from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import {
  BatchExchange,
  hasRoomFor,
  MAX_BATCH_BYTES,
  MAX_BATCH_CALLS,
  type BatchOwner,
} from './batch-exchange.ts';
import { parameterBytes } from './batch-writer.ts';
import type { GroupedStatement, SqlCall } from './call.ts';
import type { ExchangeQueue } from './exchange-queue.ts';
import { MAX_PREPARED_STATEMENTS, type PreparedStatements } from './prepared-statements.ts';
import type { Exchange } from './session-exchange.ts';

/** A statement is quick when the exchanges that it was in of late, this many, took no longer than this. */
const QUICK_EXCHANGES = 8;
const QUICK_MS = 10;

/** Calls that were lost with others of their statement: they run by themselves the next time, in whatever session. */
const alone = new WeakSet<SqlCall>();

/** What it asks of its session. */
export interface GroupOwner {
  sendCall(call: SqlCall, retried: boolean): void;
  /** Sends what is in the writer. */
  sendGroup(exchange: Exchange, first: SqlCall): void;
}

/** Several calls in one execution. */
class GroupExchange extends BatchExchange {
  override readonly weight: number;

  constructor(calls: readonly SqlCall[], { name }: GroupedStatement, prepares: boolean, owner: BatchOwner) {
    super(
      calls,
      [{ kind: 'call', name, first: 0, count: calls.length }],
      prepares ? [name] : [],
      false,
      owner,
    );
    this.weight = calls.length;
  }

  override over(refused = false): void {
    if (refused) this.refused();
    else super.over();
  }

  /** Which of them ended the session is not known, and none has changed anything. */
  takeBack(): readonly SqlCall[] {
    for (const call of this.calls) alone.add(call);
    return this.calls;
  }
}

export class GroupSender implements BatchOwner {
  readonly #owner: GroupOwner;
  readonly #writer: MessageWriter;
  readonly #statements: PreparedStatements;
  readonly #exchanges: ExchangeQueue;
  #waiting: SqlCall[] = [];
  #scheduled = false;
  /** By the names of statements: how many exchanges in a row have been quick. */
  readonly #quick = new Map<string, number>();
  /** performance.now() when the exchange that runs began, at the earliest. */
  #since = 0;
  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.#send(false);
  };

  constructor(
    owner: GroupOwner,
    writer: MessageWriter,
    statements: PreparedStatements,
    exchanges: ExchangeQueue,
  ) {
    this.#owner = owner;
    this.#writer = writer;
    this.#statements = statements;
    this.#exchanges = exchanges;
  }

  /** Calls that wait for the end of the turn, or for room behind it. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Whether the call may run with others. Then it is sent when the turn ends; else it is for the session to send. */
  takes(call: SqlCall): boolean {
    const { statement } = call;
    if (this.#exchanges.length === 0) this.#since = performance.now();
    if (statement.grouped === undefined || alone.has(call)) return false;
    if ((this.#quick.get(statement.name) ?? 0) < QUICK_EXCHANGES) return false;
    this.#waiting.push(call);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#endTurn);
    }
    return true;
  }

  /** Exchanges that were over with this read: how long they took together, each took at most. */
  ended(exchanges: readonly Exchange[]): void {
    if (exchanges.length === 0) return;
    const now = performance.now();
    const isQuick = now - this.#since <= QUICK_MS;
    this.#since = now;
    for (const { calls } of exchanges) {
      const [call] = calls;
      if (call?.statement.grouped === undefined) continue;
      if (this.#quick.size >= MAX_PREPARED_STATEMENTS) this.#quick.clear();
      const { name } = call.statement;
      this.#quick.set(name, isQuick ? (this.#quick.get(name) ?? 0) + 1 : 0);
    }
    if (!this.#scheduled) this.#send(false);
  }

  /** Sends all that waits. */
  sendAll(): void {
    this.#send(true);
  }

  /** The session is gone: takes out what was not sent. */
  lost(): SqlCall[] {
    return this.#waiting.splice(0);
  }

  #send(all: boolean): void {
    while (this.#hasRoom(all)) this.#sendFirst();
  }

  #hasRoom(forAll: boolean): boolean {
    const waiting = this.#waiting.length;
    return forAll ? waiting > 0 : hasRoomFor(waiting, this.#exchanges.load);
  }

  /** Sends the call that has waited longest, with those that it can be sent with. */
  #sendFirst(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { grouped, name } = first.statement;
    const group: SqlCall[] = [];
    const others: SqlCall[] = [];
    let bytes = 0;
    for (const call of this.#waiting) {
      const size = parameterBytes(call);
      const fits = group.length < MAX_BATCH_CALLS && (bytes + size <= MAX_BATCH_BYTES || group.length === 0);
      if (fits && call.statement.name === name && call.epoch === first.epoch) {
        group.push(call);
        bytes += size;
      } else {
        others.push(call);
      }
    }
    this.#waiting = others;
    if (grouped === undefined || group.length === 1) {
      for (const call of group) this.#owner.sendCall(call, false);
      return;
    }
    const rows = group.map(({ parameters }) => parameters);
    const prepares = this.#statements.writeGroup(grouped, rows, first.statement.resultFormat);
    writeSync(this.#writer);
    this.#owner.sendGroup(new GroupExchange(group, grouped, prepares, this), first);
  }

  /** For an exchange that was rolled back. */
  separate(calls: readonly SqlCall[], retried: boolean): void {
    for (const call of calls) this.#owner.sendCall(call, retried);
  }

  /** For such an exchange, of which this statement failed. */
  sharedInVain(statementName: string): void {
    this.#quick.set(statementName, 0);
  }

  forgetStatement(name: string): void {
    this.#statements.forget(name);
  }

  resetFailed(): void {
    // Nothing is reset with these.
  }
}
