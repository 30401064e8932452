// What one client has sent towards the engine, and how many answers (ReadyForQuery) it is owed for it. Checks messages, and
// gives the statements in them names of the client's own; does not know whose turn it is.
import { FRONTEND } from '../../protocol/postgres/message-types.ts';
import { MessageWriter } from '../../protocol/postgres/message-writer.ts';
import { rewriteNames } from '../../protocol/postgres/name-rewriting.ts';
import type { ClientStatements } from './client-statements.ts';

/**
 * What PostgreSQL takes for messages that carry no data (PQ_SMALL_MESSAGE_LIMIT), with the length itself. It ends the session on a
 * longer one, and the engine has only the one.
 */
const MAX_SMALL_MESSAGE_BYTES = 10_000;
const LENGTH_BYTES = 4;

const LARGE_MESSAGES = new Set<number>([
  FRONTEND.query,
  FRONTEND.parse,
  FRONTEND.bind,
  FRONTEND.copyData,
  FRONTEND.functionCall,
]);
const SMALL_MESSAGES = new Set<number>([
  FRONTEND.execute,
  FRONTEND.describe,
  FRONTEND.close,
  FRONTEND.sync,
  FRONTEND.flush,
  FRONTEND.copyDone,
  FRONTEND.copyFail,
]);
const COPY_MESSAGES = new Set<number>([FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail]);

/** What a message of the client says that others must know. */
export interface ReceivedRequest {
  /** Text of SQL, where it has any. */
  readonly text: string | null;
  /** Whether a statement that it prepares or runs may change the session. */
  readonly mayChangeSession: boolean;
}

export class ClientRequests {
  readonly #prefix: string;
  /** Of what a client sends: the name in it gets the prefix. */
  readonly #maxSmallBytes: number;
  readonly #statements: ClientStatements;
  readonly #unsent = new MessageWriter();
  /** ReadyForQuery that messages will still bring: those in the engine, and those not sent yet. */
  #owed = 0;
  #owedUnsent = 0;
  /** Whether messages came since the last one that brings a ReadyForQuery. */
  #unsynced = false;
  #lastSyncWasQuery = false;
  #copying = false;

  /** `prefix`: before the names of the client's statements and portals. */
  constructor(prefix: string, statements: ClientStatements) {
    this.#prefix = prefix;
    this.#maxSmallBytes = MAX_SMALL_MESSAGE_BYTES - LENGTH_BYTES - prefix.length;
    this.#statements = statements;
  }

  /** Bytes that were not taken yet. */
  get unsentBytes(): number {
    return this.#unsent.length;
  }

  /** Answers that the engine owes for what was taken. */
  get owed(): number {
    return this.#owed;
  }

  /** Whether the client owes the engine nothing either: all it has sent is answered, and complete. */
  get settled(): boolean {
    return this.#owed === 0 && !this.#unsynced && this.#unsent.length === 0;
  }

  /** Whether the engine has asked for the data of COPY FROM STDIN. */
  get copying(): boolean {
    return this.#copying;
  }

  /** A message of the client. A text is the reason why it cannot be passed on. */
  receive(type: number, bytes: Buffer, start: number, end: number): ReceivedRequest | string {
    const small = SMALL_MESSAGES.has(type);
    if ((!small && !LARGE_MESSAGES.has(type)) || (small && end - start > this.#maxSmallBytes)) {
      return `invalid frontend message type ${type} or length ${end - start}`;
    }
    const before = this.#unsent.length;
    const use = rewriteNames(this.#unsent, type, bytes, start, end, this.#prefix);
    if (use !== null && 'kind' in use) return use.reason;
    const mayChangeSession = use !== null && this.#statements.note(use, this.#unsent.writtenSince(before));
    if (type === FRONTEND.query || type === FRONTEND.sync || type === FRONTEND.functionCall) {
      this.#owedUnsent += 1;
      this.#lastSyncWasQuery = type !== FRONTEND.sync;
      this.#unsynced = false;
    } else if (!COPY_MESSAGES.has(type)) {
      this.#unsynced = true;
    }
    const text =
      type === FRONTEND.query ? bytes.toString('utf8', start, Math.max(start, end - 1)) : (use?.text ?? null);
    return { text, mayChangeSession };
  }

  /** What was received since the last time, to be sent to the engine now. */
  take(): Buffer {
    this.#owed += this.#owedUnsent;
    this.#owedUnsent = 0;
    return this.#unsent.take();
  }

  /** The engine has answered with a ReadyForQuery. */
  answered(): void {
    this.#owed -= 1;
    this.#copying = false;
  }

  beginCopy(): void {
    this.#copying = true;
    // The Sync that came with Execute is passed over in COPY mode; the one after CopyDone counts.
    if (!this.#lastSyncWasQuery) this.#owed = 0;
  }

  endCopy(): void {
    this.#copying = false;
  }
}
