// The prepared statements of one client, as it named them, so that they can be prepared again when the session lost them: because
// another client said DISCARD ALL, or somebody else used the unnamed one.
import type { NamedUse } from '../../protocol/postgres/name-rewriting.ts';
import { mayChangeSession } from './sql-scan.ts';

interface ClientStatement {
  /** The whole Parse message, as it goes to the engine. */
  readonly parse: Buffer;
  readonly mayChangeSession: boolean;
}

export class ClientStatements {
  readonly #statements = new Map<string, ClientStatement>();
  /** The unnamed statement when the client last had the engine. */
  #unnamedBefore: Buffer | null = null;
  /** What the client first did with the unnamed statement since then. */
  #unnamedFirst: NamedUse['action'] | null = null;

  get names(): string[] {
    return [...this.#statements.keys()].filter((name) => name !== '');
  }

  /**
   * Notes what a message says of a statement.
   *
   * @param message the whole message, as it goes to the engine
   * @returns whether the statement may change settings or leave objects behind
   */
  note(use: NamedUse, message: Buffer): boolean {
    if (use.statement === '') this.#unnamedFirst ??= use.action;
    if (use.action === 'uses') return this.#statements.get(use.statement)?.mayChangeSession ?? false;
    if (use.action === 'drops') {
      this.#statements.delete(use.statement);
      return false;
    }
    const suspect = mayChangeSession(use.text ?? '');
    this.#statements.set(use.statement, { parse: Buffer.from(message), mayChangeSession: suspect });
    return suspect;
  }

  /** The client gives the engine back; others will use the unnamed statement. */
  released(): void {
    this.#unnamedBefore = this.#statements.get('')?.parse ?? null;
    this.#unnamedFirst = null;
  }

  /**
   * Parse messages that make the session's statements the client's own again, now that it has the engine.
   *
   * @param all also the named ones, because they were dropped
   */
  toPrepareAgain(all: boolean): Buffer[] {
    const messages = all
      ? [...this.#statements].filter(([name]) => name !== '').map(([, statement]) => statement.parse)
      : [];
    // Most drivers make the unnamed statement anew each time they use it.
    if (this.#unnamedBefore !== null && this.#unnamedFirst !== 'makes') messages.push(this.#unnamedBefore);
    return messages;
  }

  clear(): void {
    this.#statements.clear();
    this.#unnamedBefore = null;
  }
}
