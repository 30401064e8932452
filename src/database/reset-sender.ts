// Resets of a session whose far end does not reset it: when they are sent, and how. What they are is in session-reset.ts.
import { writeQuery, writeSync } from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import type { PreparedStatements, StatementText } from './prepared-statements.ts';
import { ResetExchange, type Exchange } from './session-exchange.ts';
import { preparedResets } from './session-reset.ts';

export class ResetSender {
  readonly #writer: MessageWriter;
  readonly #statements: PreparedStatements;
  readonly #resets: readonly StatementText[];
  readonly #send: (exchange: Exchange) => void;
  /** Those on their way that may turn out not to be prepared any more. */
  #uncertain = 0;

  /** @param send sends what is in the writer */
  constructor(
    writer: MessageWriter,
    statements: PreparedStatements,
    texts: readonly string[],
    send: (exchange: Exchange) => void,
  ) {
    this.#writer = writer;
    this.#statements = statements;
    this.#resets = preparedResets(texts);
    this.#send = send;
  }

  /** Whether everything is prepared that was, whatever the calls on their way do. */
  get isCertain(): boolean {
    return this.#uncertain === 0;
  }

  /** After a call. */
  send(): void {
    if (this.#uncertain > 0 && !this.#arePrepared(this.#resets)) {
      this.#sendPlain();
      return;
    }
    for (const reset of this.#resets) this.#statements.write(reset, [], 0);
    writeSync(this.#writer);
    this.#uncertain += 1;
    this.#send(
      new ResetExchange((failed) => {
        this.#uncertain -= 1;
        if (failed) this.failed();
      }),
    );
  }

  /**
   * Before what executes these statements. A call may have deallocated what a reset behind it was prepared as, and with it the
   * statements of others, most likely all. These fail then, and run again after a reset that needs no preparation. Not so
   * what is prepared only behind that call: before it, such a reset is sent.
   */
  makeCertain(statements: readonly StatementText[]): void {
    if (this.#uncertain > 0 && !this.#arePrepared(statements)) this.#sendPlain();
  }

  /** One turned out not to be prepared any more. */
  failed(): void {
    this.#statements.forgetAll();
    this.#sendPlain();
  }

  #arePrepared(statements: readonly StatementText[]): boolean {
    return statements.every(({ name }) => this.#statements.has(name));
  }

  #sendPlain(): void {
    writeQuery(this.#writer, this.#resets.map(({ text }) => text).join('; '));
    this.#send(new ResetExchange());
  }
}
