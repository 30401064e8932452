// The session as `onStart` has it: before any call, alone with the engine. Transactions stay open from one statement to the
// next, which no one else may have. And why there is none.
import { HowdahError } from '../../errors.ts';
import { firstResult, type SqlResult } from '../exchange-result.ts';
import type { Session } from '../session.ts';
import type { EngineStarted } from './engine-link.ts';

/** What one can do while the engine starts, before any call: install, upgrade, read the epoch. Transactions stay open. */
export interface StartingSession {
  readonly version: string;
  /** Whether the cluster is empty because it was just made. */
  readonly initialised: boolean;
  query(text: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
  exec(text: string): Promise<SqlResult[]>;
}

/** `sent`: after each statement, so that its time is watched. */
export function startingSession(session: Session, started: EngineStarted, sent: () => void): StartingSession {
  const watched = <T>(result: Promise<T>): Promise<T> => {
    sent();
    return result;
  };
  return {
    version: started.version,
    initialised: started.initialised,
    query: async (text, parameters = []) =>
      firstResult(await watched(session.query(text, parameters, { keepsTransaction: true }))),
    exec: (text) => watched(session.exec(text, true)),
  };
}

/** Why PostgreSQL does not start: in a directory, nearly always because of what is there. */
export function startFailure(directory: string | null, error: unknown): unknown {
  if (directory === null || !(error instanceof Error)) return error;
  return new HowdahError('HOWDAH_DATA_UNUSABLE', `${directory}: ${error.message}`, { cause: error });
}
