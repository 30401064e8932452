// Writes calls that change nothing as one exchange (batch-exchange.ts). Those of one statement that leave nothing behind are rows
// of one execution:
//
//   epoch assertion │ f of calls 1, 3, 4 │ g of call 2, resets │ … │ resets │ Sync
//
// Bind, Execute and what PostgreSQL does to begin and end an execution are some 10 µs, and a function in SQL is planned for each execution
// anew before PostgreSQL 18. Sends nothing.
import { writeSync } from '../protocol/postgres/frontend-messages.ts';
import type { MessageWriter } from '../protocol/postgres/message-writer.ts';
import { BatchExchange, type BatchOwner, type SentStatement } from './batch-exchange.ts';
import type { GroupedStatement, SqlCall, SqlError, SqlParameter } from './call.ts';
import { EPOCH_ASSERTION } from './epoch-guard.ts';
import type { PreparedStatements, StatementText } from './prepared-statements.ts';
import { RESET_ROLE, RESETS_OF_READS } from './session-reset.ts';

/** How large a call is on its way to the server, roughly. */
export function parameterBytes({ parameters }: SqlCall): number {
  let bytes = 0;
  for (const parameter of parameters) bytes += parameter?.length ?? 0;
  return bytes;
}

/** A text with a zero byte in it, which would end early on the wire. PostgreSQL says the same of a zero byte in a value. */
export function unsendable(error: unknown): SqlError {
  return {
    severity: 'ERROR',
    code: '22021',
    message: error instanceof Error ? error.message : String(error),
  };
}

/** A statement of a batch, with the calls that it is executed for. */
export interface BatchPart {
  readonly text: StatementText;
  readonly calls: readonly SqlCall[];
  /** Whether the text is the statement's with whom the session is behind it. */
  readonly isWatched: boolean;
}

/** How calls are executed: those of one statement that leave nothing behind together, each of the others by itself. */
export function batchParts(calls: readonly SqlCall[]): readonly BatchPart[] {
  // What is reset behind the last call is reset behind one that is alone.
  const watches = calls.length > 1 && calls[0]?.epoch !== null;
  return groupCalls(calls).flatMap((group) => {
    const [call] = group;
    if (call === undefined) return [];
    const { statement } = call;
    const { grouped, watched } = statement;
    if (grouped !== undefined) {
      return [{ text: group.length > 1 ? grouped : statement, calls: group, isWatched: false }];
    }
    const isWatched = watches && watched !== undefined;
    return [{ text: isWatched ? watched : statement, calls: group, isWatched }];
  });
}

/** In the order of the first of each. */
function groupCalls(calls: readonly SqlCall[]): readonly (readonly SqlCall[])[] {
  const groups: SqlCall[][] = [];
  const byName = new Map<string, SqlCall[]>();
  for (const call of calls) {
    const name = call.statement.grouped?.name;
    const group = name === undefined ? undefined : byName.get(name);
    if (group !== undefined) {
      group.push(call);
      continue;
    }
    const begun = [call];
    groups.push(begun);
    if (name !== undefined) byName.set(name, begun);
  }
  return groups;
}

export interface BatchOptions {
  /** Whether its calls were sent before and are not to be sent again. */
  readonly retried: boolean;
  /** Whether an earlier call may have left something that is not reset yet. */
  readonly resetsFirst: boolean;
}

/** Calls that cannot be sent are completed. */
export function writeBatch(
  writer: MessageWriter,
  statements: PreparedStatements,
  parts: readonly BatchPart[],
  { retried, resetsFirst }: BatchOptions,
  owner: BatchOwner,
): BatchExchange {
  const epoch = parts[0]?.calls[0]?.epoch ?? null;
  const written = new WrittenBatch(writer, statements);
  if (resetsFirst) written.resets([...RESETS_OF_READS.once, ...RESETS_OF_READS.each]);
  if (epoch !== null) written.statement('assertion', EPOCH_ASSERTION, [epoch], 0);
  let resetsLast = false;
  for (const part of parts) {
    const [call] = part.calls;
    if (call === undefined) continue;
    const { grouped } = call.statement;
    if (grouped !== undefined && part.text === grouped) {
      written.group(part.calls, grouped, call.statement.resultFormat);
    } else if (written.call(call, part.text) && grouped === undefined) {
      written.resets(RESETS_OF_READS.each);
      if (!part.isWatched && parts.length > 1) written.resets(RESET_ROLE);
      resetsLast = true;
    }
  }
  if (resetsLast) written.resets(RESETS_OF_READS.once);
  writeSync(writer);
  return new BatchExchange(written.calls, written.sent, written.prepares, retried, owner);
}

class WrittenBatch {
  readonly calls: SqlCall[] = [];
  readonly sent: SentStatement[] = [];
  /** Names of the statements that are prepared with it. */
  readonly prepares: string[] = [];
  readonly #writer: MessageWriter;
  readonly #statements: PreparedStatements;

  constructor(writer: MessageWriter, statements: PreparedStatements) {
    this.#writer = writer;
    this.#statements = statements;
  }

  /** Writes the statement of a call; false where it cannot be sent. */
  call(call: SqlCall, text: StatementText): boolean {
    const begin = this.#writer.length;
    try {
      this.statement('call', text, call.parameters, call.statement.resultFormat);
    } catch (error) {
      // Half a message must not be sent, nor the call be left without an answer.
      this.#writer.rewind(begin);
      this.#statements.forget(text.name);
      call.complete({ kind: 'failed', error: unsendable(error) });
      return false;
    }
    this.calls.push(call);
    return true;
  }

  /** Writes the statement that several calls share. */
  group(calls: readonly SqlCall[], grouped: GroupedStatement, resultFormat: 0 | 1): void {
    const rows = calls.map(({ parameters }) => parameters);
    if (this.#statements.writeGroup(grouped, rows, resultFormat)) this.prepares.push(grouped.name);
    this.sent.push({ kind: 'call', name: grouped.name, first: this.calls.length, count: calls.length });
    this.calls.push(...calls);
  }

  resets(resets: readonly StatementText[]): void {
    for (const reset of resets) this.statement('reset', reset, [], 0);
  }

  statement(
    kind: SentStatement['kind'],
    statement: StatementText,
    parameters: readonly SqlParameter[],
    resultFormat: 0 | 1,
  ): void {
    if (this.#statements.write(statement, parameters, resultFormat)) this.prepares.push(statement.name);
    const count = kind === 'call' ? 1 : 0;
    this.sent.push({ kind, name: statement.name, first: this.calls.length, count });
  }
}
