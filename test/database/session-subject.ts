// What the suites of a Session run on, whatever link carries it: something to send calls to, and how calls are made for it and
// answers are told.
import assert from 'node:assert/strict';
import type {
  CallResult,
  PreparedStatement,
  SqlCall,
  SqlDispatcher,
  SqlParameter,
} from '../../src/database/call.ts';
import type { SqlResult } from '../../src/database/exchange-result.ts';

/** Something to run calls with, and a way to look at the database beside it. */
export interface SuiteSubject {
  readonly dispatcher: SqlDispatcher;
  query(text: string): Promise<SqlResult>;
  exec(text: string): Promise<SqlResult[]>;
}

/** A result with its columns as text. */
export type Answer =
  | { readonly kind: 'row'; readonly columns: readonly (string | null)[] }
  | Exclude<CallResult, { kind: 'row' }>;

export function statement(text: string, resultFormat: 0 | 1 = 0): PreparedStatement {
  return { name: `suite ${resultFormat} ${text}`, text, parameterTypes: [], resultFormat };
}

export function call(
  dispatcher: SqlDispatcher,
  text: string,
  parameters: readonly SqlParameter[] = [],
  extra: Partial<Pick<SqlCall, 'epoch' | 'resetAfter' | 'statement' | 'interruptible'>> = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    dispatcher.dispatch({
      statement: statement(text),
      parameters,
      epoch: null,
      resetAfter: false,
      ...extra,
      complete(result) {
        resolve(
          result.kind === 'row'
            ? { kind: 'row', columns: result.columns.map((column) => column?.toString('utf8') ?? null) }
            : result,
        );
      },
    });
  });
}

export function row(...columns: (string | null)[]): Answer {
  return { kind: 'row', columns };
}

export async function failure(answer: Promise<Answer>): Promise<string> {
  const result = await answer;
  assert.equal(result.kind, 'failed');
  return result.kind === 'failed' ? result.error.code : '';
}
