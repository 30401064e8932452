// A statement of the server's own, run behind what hubs do: its failure is observed, and told to whoever asked.
import type { CallResult, PreparedStatement, SqlDispatcher, SqlParameter } from '../database/call.ts';
import type { Observer } from '../observe/observation.ts';

export type ObservedCall = (
  statement: PreparedStatement,
  parameters: readonly SqlParameter[],
  complete: (result: CallResult) => void,
) => void;

/** @param where what the observation says that it belongs to */
export function observedCalls(dispatcher: SqlDispatcher, observer: Observer, where: string): ObservedCall {
  return (statement, parameters, complete) =>
    dispatcher.dispatch({
      statement,
      parameters,
      epoch: null,
      resetAfter: false,
      complete: (result) => {
        if (result.kind === 'failed') {
          const error = new Error(`${statement.text}: ${result.error.message}`);
          observer.observe({ kind: 'internal-error', where, error });
        }
        complete(result);
      },
    });
}
