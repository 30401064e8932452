// The statements that one session has prepared, and the messages that prepare, bind and execute them. Sends nothing.
// Where none can be kept, each is prepared without a name, right before it is executed.
import { writeBind, writeClose, writeExecute, writeParse } from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import type { PreparedStatement, SqlParameter } from './call.ts';

/**
 * Statements that one session keeps prepared. A plan takes some 10 to 50 kB of the backend's memory; beyond this, the
 * one prepared first makes room.
 */
export const MAX_PREPARED_STATEMENTS = 2000;

export type StatementText = Pick<PreparedStatement, 'name' | 'text' | 'parameterTypes'>;

export class PreparedStatements {
  readonly #writer: MessageWriter;
  readonly #names = new Map<string, true>();

  readonly #keeps: boolean;

  constructor(writer: MessageWriter, keeps = true) {
    this.#writer = writer;
    this.#keeps = keeps;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Has it prepared anew on its next use. */
  forget(name: string): void {
    this.#names.delete(name);
  }

  forgetAll(): void {
    this.#names.clear();
  }

  /** Writes one execution, and before it what prepares the statement where it is not. Throws where a text cannot be sent. */
  write(
    { name, text, parameterTypes }: StatementText,
    parameters: readonly SqlParameter[],
    resultFormat: 0 | 1,
  ): void {
    if (!this.#keeps) {
      writeParse(this.#writer, '', text, parameterTypes);
      writeBind(this.#writer, '', '', parameters, resultFormat);
      writeExecute(this.#writer, '');
      return;
    }
    if (!this.#names.has(name)) this.#prepare(name, text, parameterTypes);
    writeBind(this.#writer, '', name, parameters, resultFormat);
    writeExecute(this.#writer, '');
  }

  #prepare(name: string, text: string, parameterTypes: readonly number[]): void {
    if (this.#names.size >= MAX_PREPARED_STATEMENTS) {
      const [oldest] = this.#names.keys();
      if (oldest !== undefined) {
        this.#names.delete(oldest);
        writeClose(this.#writer, 'statement', oldest);
      }
    }
    // Whether the backend still has the name is not certain (a refused exchange, a client that deallocated it); closing what
    // does not exist is no error, preparing what exists is one.
    writeClose(this.#writer, 'statement', name);
    writeParse(this.#writer, name, text, parameterTypes);
    this.#names.set(name, true);
  }
}
