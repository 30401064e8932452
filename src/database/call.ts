// What the rest of howdah asks of a PostgreSQL session on the hot path, and what it gets back. Knows no HTTP.

/** A statement that sessions prepare on first use, each for itself, and keep. */
export interface PreparedStatement {
  /** Unique for its text; used as the name on the wire. */
  readonly name: string;
  readonly text: string;
  /** OIDs of the parameter types; 0 or a missing one lets the server infer it. */
  readonly parameterTypes: readonly number[];
  /** Whether result columns are asked for in binary format (1) or text (0); one for all. */
  readonly resultFormat: 0 | 1;
  /** Whether it may end its transaction and begin others (CALL), so that it can run in none that is begun for it. Default false. */
  readonly commits?: boolean;
  /**
   * The same for sessions that cannot refuse an epoch themselves (epoch-guard.ts). Without it, the epoch is asked for in an
   * exchange before the call.
   */
  readonly guarded?: GuardedStatement;
  /** The same with one column more, the last: whom the session is when it is over (current_user). */
  readonly watched?: WatchedStatement;
  /**
   * The same for many calls at once; where it is there, none of them leaves anything behind that the next could see. Default: none
   * of the kind.
   */
  readonly grouped?: GroupedStatement;
}

/**
 * Has an array for each parameter of the statement, with the values of all calls in their order, and returns a row for each call in the same
 * order.
 */
export interface GroupedStatement {
  readonly name: string;
  readonly text: string;
  /** Of the arrays: OIDs, 0 where the server infers it. */
  readonly parameterTypes: readonly number[];
  /** Of their elements: OIDs. Strings are elements of text arrays, bytes of arrays of the type whose binary format they are in. */
  readonly elementTypes: readonly number[];
}

export interface WatchedStatement {
  readonly name: string;
  readonly text: string;
  readonly parameterTypes: readonly number[];
}

/** A statement whose last parameter is the epoch. */
export interface GuardedStatement {
  readonly name: string;
  readonly text: string;
  readonly parameterTypes: readonly number[];
  /** Where the epoch has passed: it returns no row, as it does only then, or it fails (procedures). */
  readonly refusal: 'no-row' | 'error';
}

/** null, text format (string, sent as UTF-8), or binary format (Buffer). */
export type SqlParameter = string | Buffer | null;

/** An error that PostgreSQL reported (ErrorResponse). Field names are those of the protocol's documentation. */
export interface SqlError {
  readonly severity: string;
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  /** 1-based character offset into the statement's text. */
  readonly position?: number;
  readonly schema?: string;
  readonly table?: string;
  readonly constraint?: string;
}

/** How a call ended. Exactly one of these reaches `complete`, after the call's transaction is over. */
export type CallResult =
  /** It committed and its first row is here. Columns are views that are valid during `complete` only: copy to keep. */
  | { readonly kind: 'row'; readonly columns: readonly (Buffer | null)[] }
  /** It committed and returned no row. */
  | { readonly kind: 'no-row' }
  /** The catalog has moved on from `epoch`: the call has not run. */
  | { readonly kind: 'stale' }
  /** PostgreSQL reported an error, at run time or at commit; the transaction is rolled back. */
  | {
      readonly kind: 'failed';
      readonly error: SqlError;
      /** Whether it may have been another call that shared its statement. Default false. */
      readonly shared?: boolean;
    }
  /** It ran longer than its limit and was ended; the transaction is rolled back. */
  | { readonly kind: 'timeout' }
  /** No session took it in time or the queue is full: it has not run. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** The session went away while it ran: it may or may not have committed. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It was abandoned: it has not run, or was ended and rolled back. */
  | { readonly kind: 'abandoned' };

/** One statement execution in a transaction of its own. */
export interface SqlCall {
  readonly statement: PreparedStatement;
  readonly parameters: readonly SqlParameter[];
  /**
   * A query for one row without parameters, that is run behind the call in the same session, in a transaction of its own. Its columns come
   * behind those of the call; there are none of it where it failed.
   */
  readonly followUp?: PreparedStatement | undefined;
  /** The epoch of the catalog that the call was routed with; null where it does not depend on the catalog. */
  readonly epoch: string | null;
  /** Whether it may leave session state behind (role, settings, advisory locks, temporary tables) to be reset. */
  readonly resetAfter: boolean;
  /** Whether it may be ended, or left out, when it is abandoned. Without `resetAfter`, it changes nothing. Default false. */
  readonly interruptible?: boolean;
  /**
   * Whether it may be run again where its transaction was rolled back because of others (serialization failure, deadlock). Those that are
   * interruptible may. Default false.
   */
  readonly repeatable?: boolean;
  /** Called once, synchronously from the session's read; never throws. */
  complete(result: CallResult): void;
}

/** Takes calls for whichever session is free. */
export interface SqlDispatcher {
  /** Queues the call; `complete` may be called before this returns. */
  dispatch(call: SqlCall): void;
  /** Nobody waits for the result of `call` any more. It completes all the same. */
  abandon?(call: SqlCall): void;
}
