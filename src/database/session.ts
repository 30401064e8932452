// One PostgreSQL session that many calls are pipelined through: prepares statements on first use, pairs answers with
// calls, resets what a call left behind. Queues nothing: whoever owns the session decides how many calls are on their way.
//
// Each call is an exchange of its own, so a transaction of its own, and is over with its ReadyForQuery:
//
//   [Close Parse] Bind Execute Sync ──▶ … [Error] … CommandComplete [Error] ReadyForQuery ──▶ complete(…)
//                                                                   └── raised by the commit
//
// Over a socket, calls of one turn of the event loop that change nothing share one (turn-sender.ts).
import type { ProtocolViolation } from '../protocol/postgres/message-splitter.ts';
import type { PreparedStatement, SqlCall } from './call.ts';
import type { ExchangeOptions, LinkLoss, LinkReceiver, SessionLink } from './session-link.ts';
import type { SqlResult } from './exchange-result.ts';
import { unsendable } from './batch-writer.ts';
import { EPOCH_ASSERTION } from './epoch-guard.ts';
import { GroupSender } from './group-sender.ts';
import { ExchangeQueue } from './exchange-queue.ts';
import { PooledCalls } from './pooled-calls.ts';
import { ResetSender } from './reset-sender.ts';
import { SqlFailure } from './exchange-result.ts';
import type { Exchange } from './session-exchange.ts';
import { MessageSplitter } from '../protocol/postgres/message-splitter.ts';
import { MessageWriter } from '../protocol/postgres/message-writer.ts';
import {
  isViolation,
  parseErrorFields,
  parseNotification,
  type ErrorFields,
} from '../protocol/postgres/backend-messages.ts';
import {
  writeBind,
  writeDescribe,
  writeExecute,
  writeParse,
  writeQuery,
  writeSync,
} from '../protocol/postgres/frontend-messages.ts';
import { BACKEND, TRANSACTION } from '../protocol/postgres/message-types.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { REFUSED_RESPONSE } from './session-link.ts';
import {
  AssertionExchange,
  CallExchange,
  FollowUpExchange,
  GatheringExchange,
  ResetExchange,
} from './session-exchange.ts';
import { resetStatements } from './session-reset.ts';
import { TurnSender } from './turn-sender.ts';

const NO_OPTIONS: ExchangeOptions = { epoch: null, resetAfter: false, keepsTransaction: false };

export interface QueryOptions {
  /** Whether a transaction that is open, or that the statement begins, stays so. Default false. */
  readonly keepsTransaction?: boolean;
  /** Runs before it in the same transaction, and has a result of its own; over links that share backends only. */
  readonly before?: string | null;
  /** Rows that are larger are dropped as they come, and the promise rejects with HOWDAH_RESULT_TOO_LARGE. Default: no limit. */
  readonly limitBytes?: number;
}

export interface SessionEvents {
  notice(notice: ErrorFields): void;
  notification(channel: string, payload: string): void;
  /** Exchanges may have ended: there may be room for others. */
  progressed(): void;
  /** After the calls in flight were told; `unsent` did not run and may be given to another session. */
  lost(loss: LinkLoss, unsent: SqlCall[]): void;
}

export class Session implements LinkReceiver {
  readonly #link: SessionLink;
  readonly #events: SessionEvents;
  readonly #splitter: MessageSplitter;
  readonly #writer = new MessageWriter();
  readonly #statements: PreparedStatements;
  /** Where nothing can be left in a backend. */
  readonly #pooled: PooledCalls | null;
  readonly #resets: ResetSender;
  /** Calls that are not sent yet. */
  readonly #turn: TurnSender;
  readonly #exchanges = new ExchangeQueue();
  /** Calls that are not sent yet, where the far end runs one exchange at a time. */
  readonly #groups: GroupSender | null;
  /** Those that were over with what is received, where it matters how long they took. */
  #ended: Exchange[] = [];
  #borrower: LinkReceiver | null = null;
  #lost = false;
  #dying = false;
  #epochText = '';
  #epochNumber = 0;

  /** @param channels what the session listens to: kept up across resets, not begun here */
  constructor(link: SessionLink, events: SessionEvents, channels: readonly string[] = []) {
    this.#link = link;
    this.#events = events;
    const shares = link.sharesBackends === true;
    this.#statements = new PreparedStatements(this.#writer, !shares);
    const { identity, settings, objects } = resetStatements(channels, null);
    const resets = [...identity, ...settings, ...objects];
    const send = (exchange: Exchange): void => this.#sendExchange(exchange);
    this.#resets = new ResetSender(this.#writer, this.#statements, resets, send);
    const owner = {
      sendExchange: send,
      sendCall: (call: SqlCall): void => this.#sendCall(call, false),
      flush: (): void => link.flush?.(),
    };
    this.#turn = new TurnSender(owner, this.#writer, this.#statements, this.#resets, this.#exchanges);
    this.#pooled = shares ? new PooledCalls(this.#writer, this.#statements, resets, send, this) : null;
    this.#groups = link.guardsEpoch ? this.#groupSender() : null;
    this.#splitter = new MessageSplitter(this);
    link.attach(this);
  }

  /** What it is told to do whose answer is not complete. */
  get inFlight(): number {
    return this.#exchanges.length + this.#turn.length + (this.#groups?.length ?? 0);
  }

  /** The same, counting the calls of exchanges that have several. */
  get load(): number {
    return this.inFlight - this.#exchanges.length + this.#exchanges.load;
  }

  /** The calls of the exchange that runs. */
  get running(): readonly SqlCall[] {
    const { first } = this.#exchanges;
    return first?.running ?? first?.calls ?? [];
  }

  /** Sends a call, in this turn of the event loop; it completes later, or at once with 'lost' where the session is gone. */
  call(call: SqlCall): void {
    if (this.#lost) this.#sendCall(call, false);
    else if (this.#groups === null) this.#turn.add(call);
    else if (!this.#groups.takes(call)) this.#sendCall(call, false);
  }

  /**
   * Runs one statement with parameters in text format, in a transaction of its own unless one is kept open.
   */
  query(
    text: string,
    parameters: readonly (string | null)[],
    { keepsTransaction = false, before = null, limitBytes = Infinity }: QueryOptions = {},
  ): Promise<SqlResult[]> {
    const write = (writer: MessageWriter): void => {
      if (before !== null) this.#statements.write({ name: '', text: before, parameterTypes: [] }, [], 0);
      writeParse(writer, '', text);
      writeBind(writer, '', '', parameters, 0);
      writeDescribe(writer, 'portal', '');
      writeExecute(writer, '');
      writeSync(writer);
    };
    return this.#gather(write, keepsTransaction, limitBytes);
  }

  /**
   * Runs statements by the simple protocol: one transaction, unless they begin and end their own. One that they leave
   * open is rolled back, before anything else runs where the link resets the session; otherwise whatever is sent
   * before the answer came would run in it.
   */
  exec(text: string, keepsTransaction = false): Promise<SqlResult[]> {
    return this.#gather((writer) => writeQuery(writer, text), keepsTransaction);
  }

  /** Has every statement prepared anew on its next use, because something dropped them all. */
  forgetStatements(): void {
    this.#statements.forgetAll();
  }

  /**
   * Gives the link to someone who speaks the protocol himself, until `takeBack`. Nothing may be in flight, now or when
   * it is taken back, and no call may be sent in between.
   */
  lend(borrower: LinkReceiver): void {
    if (this.inFlight > 0 || this.#borrower !== null) throw new Error('the session is in use');
    this.#borrower = borrower;
  }

  takeBack(): void {
    this.#borrower = null;
  }

  receive(bytes: Buffer): void {
    if (this.#borrower !== null) {
      this.#borrower.receive(bytes);
      return;
    }
    const violation = this.#splitter.receive(bytes);
    if (violation !== null) {
      this.#link.close(violation.reason);
      return;
    }
    // Rows that were handed out as views of these bytes, to exchanges that are not over yet, outlive the bytes.
    this.#exchanges.first?.keep();
    this.#turn.progressed();
    if (this.#groups !== null) {
      this.#groups.ended(this.#ended);
      this.#ended = [];
    }
    this.#events.progressed();
  }

  /** For the splitter. */
  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === BACKEND.noticeResponse) {
      this.#events.notice(parseErrorFields(bytes, start, end));
      return;
    }
    if (type === BACKEND.notificationResponse) {
      const notification = parseNotification(bytes, start, end);
      if (isViolation(notification)) this.#link.close(notification.reason);
      else this.#events.notification(notification.channel, notification.payload);
      return;
    }
    // Its last word: nothing that was sent runs any more.
    if (type === BACKEND.errorResponse && parseErrorFields(bytes, start, end).severity === 'FATAL')
      this.#dying = true;
    const exchange = this.#exchanges.first;
    if (exchange === undefined) return; // ParameterStatus, or the last words of a server that shuts down
    if (type === BACKEND.readyForQuery || type === REFUSED_RESPONSE) {
      this.#exchanges.shift();
      if (this.#groups !== null) this.#ended.push(exchange);
      exchange.over(type === REFUSED_RESPONSE, bytes[start] !== TRANSACTION.idle);
      return;
    }
    const violation: ProtocolViolation | null = exchange.message(type, bytes, start, end);
    if (violation !== null) this.#link.close(violation.reason);
  }

  lost(loss: LinkLoss): void {
    if (this.#lost) return;
    this.#lost = true;
    const waiting = [...this.#turn.lost(), ...(this.#groups?.lost() ?? [])];
    const borrower = this.#borrower;
    this.#borrower = null;
    const exchanges = this.#exchanges.takeAll();
    const unsent: SqlCall[] = [];
    const mayHaveRun = this.#dying ? 1 : exchanges.length - loss.unstarted;
    for (const [index, exchange] of exchanges.entries()) {
      if (index >= mayHaveRun && exchange.calls.length > 0) unsent.push(...exchange.calls);
      else if (exchange.takeBack !== undefined) unsent.push(...exchange.takeBack());
      else exchange.lost(loss);
    }
    unsent.push(...waiting);
    borrower?.lost(loss);
    this.#events.lost(loss, unsent);
  }

  #groupSender(): GroupSender {
    const owner = {
      sendCall: (call: SqlCall, retried: boolean): void => this.#sendCall(call, retried),
      sendGroup: (exchange: Exchange, first: SqlCall): void => {
        this.#exchanges.push(exchange);
        this.#send({ epoch: this.#epochOf(first), resetAfter: false, keepsTransaction: false });
      },
    };
    return new GroupSender(owner, this.#writer, this.#statements, this.#exchanges);
  }

  #sendCall(call: SqlCall, retried: boolean, asserted = false): void {
    if (this.#lost) {
      call.complete({ kind: 'lost', reason: 'the session is gone' });
      return;
    }
    const writer = this.#writer;
    const epoch = this.#link.guardsEpoch || asserted ? null : call.epoch;
    const guarded = epoch === null ? undefined : call.statement.guarded;
    if (epoch !== null && guarded === undefined) {
      this.#assertEpoch(call, epoch);
      return;
    }
    const statement = guarded ?? call.statement;
    const parameters = guarded === undefined ? call.parameters : [...call.parameters, epoch];
    if (this.#pooled !== null) {
      this.#pooled.send(call, statement, parameters);
      return;
    }
    const prepares = !this.#statements.has(statement.name);
    this.#resets.makeCertain(call.followUp === undefined ? [statement] : [statement, call.followUp]);
    try {
      this.#statements.write(statement, parameters, call.statement.resultFormat);
    } catch (error) {
      // Half a message must not be sent, nor the call be left without an answer.
      writer.take();
      this.#statements.forget(statement.name);
      call.complete({ kind: 'failed', error: unsendable(error) });
      return;
    }
    writeSync(writer);
    const exchange = new CallExchange(call, statement, prepares, retried, this);
    this.#exchanges.push(exchange);
    const { followUp } = call;
    const resetAfter = call.resetAfter && followUp === undefined;
    this.#send({ epoch: this.#epochOf(call), resetAfter, keepsTransaction: false });
    if (followUp !== undefined) this.#sendFollowUp(exchange, followUp);
    if (call.resetAfter && !this.#link.resetsSession) this.#resets.send();
  }

  #sendFollowUp(followed: CallExchange, statement: PreparedStatement): void {
    this.#statements.write(statement, [], statement.resultFormat);
    writeSync(this.#writer);
    this.#exchanges.push(new FollowUpExchange(followed, statement.name, this));
    this.#send({ epoch: null, resetAfter: followed.call.resetAfter, keepsTransaction: false });
  }

  /** Sends the call itself when the answer is there. */
  #assertEpoch(call: SqlCall, epoch: string): void {
    this.#resets.makeCertain([EPOCH_ASSERTION]);
    this.#statements.write(EPOCH_ASSERTION, [epoch], 0);
    writeSync(this.#writer);
    this.#sendExchange(new AssertionExchange(call, this));
  }

  /** For an exchange that found the epoch to be that of the call. */
  callAsserted(call: SqlCall): void {
    this.#sendCall(call, false, true);
  }

  /** For an exchange whose statement turned out not to be prepared, or to be prepared for what has changed since. */
  retry(call: SqlCall, name: string): void {
    this.#statements.forget(name);
    this.#sendCall(call, true, call.statement.guarded === undefined);
  }

  /** For an exchange that prepared its statement in vain. */
  forgetStatement(name: string): void {
    this.#statements.forget(name);
  }

  /** For an exchange that left a transaction open: only statements of the cold path can. */
  rollBack(): void {
    if (this.#link.resetsSession) return;
    writeQuery(this.#writer, 'ROLLBACK');
    this.#exchanges.push(new ResetExchange());
    this.#send({ epoch: null, resetAfter: true, keepsTransaction: false });
  }

  #gather(
    write: (writer: MessageWriter) => void,
    keepsTransaction: boolean,
    limitBytes = Infinity,
  ): Promise<SqlResult[]> {
    return new Promise((resolve, reject) => {
      const exchange = new GatheringExchange(keepsTransaction ? null : this, resolve, reject, limitBytes);
      if (!this.#lost) {
        this.#turn.sendAll();
        this.#groups?.sendAll();
      }
      if (this.#lost) {
        exchange.lost({ reason: 'the session is gone', unstarted: 1, timedOut: false });
        return;
      }
      try {
        write(this.#writer);
      } catch (error) {
        this.#writer.take();
        reject(new SqlFailure(unsendable(error)));
        return;
      }
      this.#exchanges.push(exchange);
      this.#send({ epoch: null, resetAfter: false, keepsTransaction });
    });
  }

  #send(options: ExchangeOptions): void {
    this.#link.send(this.#writer.take(), options);
  }

  #epochOf(call: SqlCall): number | null {
    if (call.epoch === null) return null;
    if (call.epoch !== this.#epochText) {
      this.#epochText = call.epoch;
      this.#epochNumber = Number(call.epoch);
    }
    return this.#epochNumber;
  }

  #sendExchange(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    this.#send(NO_OPTIONS);
  }
}
