// One turn that a client has with the engine: what it sends and gets, and the exchanges that the gateway itself puts in
// between, of which the client sees nothing. Does not know what a turn is for.
import type { MessageSink } from '../../protocol/postgres/message-splitter.ts';
import type { Lease } from '../embedded/engine-lease.ts';
import type { SqlResult } from '../exchange-result.ts';
import type { LinkLoss, LinkReceiver } from '../session-link.ts';
import { parseCommandTag } from '../../protocol/postgres/backend-messages.ts';
import { writeCopyFail, writeQuery, writeSync } from '../../protocol/postgres/frontend-messages.ts';
import { MessageSplitter } from '../../protocol/postgres/message-splitter.ts';
import { BACKEND } from '../../protocol/postgres/message-types.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { ResultGatherer, SqlFailure } from '../exchange-result.ts';

export interface TurnEvents {
  /** A message for the client. */
  fromEngine(type: number, bytes: Buffer, start: number, end: number): void;
  /** A notification of the session, whoever it is for. */
  notification(bytes: Buffer, start: number, end: number): void;
  /** A statement is complete whose answer nobody gets any more. */
  completed(tag: string): void;
  /** All bytes that arrived together were given out. */
  flush(): void;
  lost(loss: LinkLoss): void;
}

interface OwnExchange {
  readonly gatherer: ResultGatherer;
  readonly done: (results: SqlResult[]) => void;
  readonly failed: (error: Error) => void;
}

export class EngineTurn implements LinkReceiver, MessageSink {
  readonly #events: TurnEvents;
  readonly #splitter = new MessageSplitter(this);
  readonly #writer = new MessageWriter(1024);
  #lease: Lease | null = null;
  #own: OwnExchange | null = null;
  /** While the client's work is undone: ReadyForQuery that are still to come. */
  #undoing: { left: number; readonly done: () => void } | null = null;

  constructor(events: TurnEvents) {
    this.#events = events;
  }

  get lease(): Lease | null {
    return this.#lease;
  }

  begin(lease: Lease): void {
    this.#lease = lease;
  }

  /** Gives the engine back; no transaction may be open. */
  end(): void {
    const lease = this.#lease;
    this.#lease = null;
    lease?.release();
  }

  send(bytes: Buffer): void {
    this.#lease?.send(bytes);
  }

  query(text: string): Promise<SqlResult[]> {
    return this.exchange((writer) => writeQuery(writer, text));
  }

  /** Sends what `write` writes, which must bring exactly one ReadyForQuery. Nothing else may be under way. */
  exchange(write: (writer: MessageWriter) => void): Promise<SqlResult[]> {
    return new Promise((done, failed) => {
      const lease = this.#lease;
      if (lease === null) {
        failed(new Error('the engine is gone'));
        return;
      }
      write(this.#writer);
      this.#own = { gatherer: new ResultGatherer(), done, failed };
      lease.send(this.#writer.take());
    });
  }

  /**
   * Ends whatever the client has under way and rolls its transaction back.
   *
   * @param owed ReadyForQuery that are still to come for what the client sent
   */
  undo(owed: number): Promise<void> {
    return new Promise((done) => {
      const own = this.#own;
      this.#own = null;
      this.#undoing = { left: owed + (own === null ? 0 : 1) + 2, done };
      own?.failed(new Error('the client is gone'));
      // Ends a COPY; elsewhere the server passes over it.
      writeCopyFail(this.#writer, 'the client is gone');
      writeSync(this.#writer);
      writeQuery(this.#writer, 'ROLLBACK');
      this.send(this.#writer.take());
    });
  }

  receive(bytes: Buffer): void {
    this.#splitter.receive(bytes);
    this.#events.flush();
  }

  lost(loss: LinkLoss): void {
    this.#lease = null;
    const own = this.#own;
    this.#own = null;
    own?.failed(new Error(loss.reason));
    const undoing = this.#undoing;
    this.#undoing = null;
    undoing?.done();
    this.#events.lost(loss);
  }

  /** For the splitter. */
  message(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === BACKEND.notificationResponse) {
      this.#events.notification(bytes, start, end);
    } else if (this.#undoing !== null) {
      if (type === BACKEND.commandComplete) this.#events.completed(parseCommandTag(bytes, start, end));
      if (type === BACKEND.readyForQuery) this.#undo(this.#undoing);
    } else if (this.#own === null) {
      this.#events.fromEngine(type, bytes, start, end);
    } else {
      this.#own.gatherer.message(type, bytes, start, end);
      if (type === BACKEND.readyForQuery) this.#finishOwn(this.#own);
    }
  }

  #undo(undoing: { left: number; readonly done: () => void }): void {
    undoing.left -= 1;
    if (undoing.left > 0) return;
    this.#undoing = null;
    undoing.done();
  }

  #finishOwn(own: OwnExchange): void {
    this.#own = null;
    if (own.gatherer.error === null) own.done(own.gatherer.results);
    else own.failed(new SqlFailure(own.gatherer.error));
  }
}
