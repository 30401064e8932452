// The statements that one session has prepared, and the messages that prepare, bind and execute them. Sends nothing.
// Where none can be kept, each is prepared without a name, right before it is executed.
import {
  writeBind,
  writeBindArrays,
  writeClose,
  writeExecute,
  writeParse,
} from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import type { GroupedStatement, PreparedStatement, SqlParameter } from './call.ts';

/**
 * Statements that one session keeps prepared. A plan takes some 10 to 50 kB of the backend's memory; beyond this, the
 * one prepared first makes room.
 */
export const MAX_PREPARED_STATEMENTS = 2000;

export type StatementText = Pick<PreparedStatement, 'name' | 'text' | 'parameterTypes'>;

export class PreparedStatements {
  readonly #writer: MessageWriter;
  /** With what executes it, where that is always the same: it has no parameters, and its results are text. */
  readonly #names = new Map<string, Buffer | null>();

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

  /**
   * Writes one execution, and before it what prepares the statement where it is not, and says whether that was so. Throws where
   * a text cannot be sent.
   */
  write(
    { name, text, parameterTypes }: StatementText,
    parameters: readonly SqlParameter[],
    resultFormat: 0 | 1,
  ): boolean {
    if (!this.#keeps) {
      writeParse(this.#writer, '', text, parameterTypes);
      writeBind(this.#writer, '', '', parameters, resultFormat);
      writeExecute(this.#writer, '');
      return false;
    }
    const known = this.#names.get(name);
    if (known !== undefined && known !== null) {
      this.#writer.bytes(known);
      return false;
    }
    if (known === undefined) this.#prepare(name, text, parameterTypes);
    const begin = this.#writer.length;
    writeBind(this.#writer, '', name, parameters, resultFormat);
    writeExecute(this.#writer, '');
    if (parameterTypes.length === 0 && parameters.length === 0 && resultFormat === 0)
      this.#names.set(name, Buffer.from(this.#writer.writtenSince(begin)));
    return known === undefined;
  }

  /** The same for the calls of a group, with the parameters of each. Throws nothing: what cannot be sent in an array is for the server to refuse. */
  writeGroup(
    { name, text, parameterTypes, elementTypes }: GroupedStatement,
    rows: readonly (readonly SqlParameter[])[],
    resultFormat: 0 | 1,
  ): boolean {
    const known = this.#keeps && this.#names.has(name);
    if (!this.#keeps) writeParse(this.#writer, '', text, parameterTypes);
    else if (!known) this.#prepare(name, text, parameterTypes);
    writeBindArrays(this.#writer, '', this.#keeps ? name : '', rows, elementTypes, resultFormat);
    writeExecute(this.#writer, '');
    return this.#keeps && !known;
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
    this.#names.set(name, null);
  }
}
