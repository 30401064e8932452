// The engine's session, lent for statements that belong together. Whoever lends it waits for the end.
import type { PreparedStatement } from '../call.ts';
import type { SetupSession } from '../database.ts';
import { firstResult } from '../exchange-result.ts';
import type { Session } from '../session.ts';

/** What is run behind the statements: a call's end ends the transaction and resets the session. */
const LAST_STATEMENT: PreparedStatement = {
  name: 'session given back',
  text: 'select 1',
  parameterTypes: [],
  resultFormat: 0,
};

/** `started` is called when something was sent. */
export async function useSession<T>(
  session: Session,
  started: () => void,
  use: (session: SetupSession) => Promise<T>,
): Promise<T> {
  let over = false;
  const watched = <R>(result: () => Promise<R>): Promise<R> => {
    if (over) return Promise.reject(new Error('the session has been given back'));
    const running = result();
    started();
    return running;
  };
  try {
    return await use({
      query: async (text, parameters = [], limitBytes = Infinity) => {
        const options = { keepsTransaction: true, limitBytes };
        return firstResult(await watched(() => session.query(text, parameters, options)));
      },
      exec: (text) => watched(() => session.exec(text, true)),
    });
  } finally {
    over = true;
    await settle(session);
  }
}

/** Ends a transaction that is open, and resets the session. */
function settle(session: Session): Promise<void> {
  return new Promise((resolve) => {
    session.call({
      statement: LAST_STATEMENT,
      parameters: [],
      epoch: null,
      resetAfter: true,
      complete: () => resolve(),
    });
  });
}
