// What brings a session back to how it was opened, after a call that may have changed it. Does not decide when.
//
// DISCARD ALL would do all of it in one statement, but it also drops the prepared statements, and it cannot run beside
// others in one exchange. Measured on the embedded engine (one Bind/Execute of a lookup: 16 µs), each statement here adds 2 to
// 7 µs when it is prepared, where all of them as one simple query add 46 µs and more, since each is parsed anew. The
// engine's thread prepares them, and prepares them again before anything else runs when a call deallocated them. A session
// over a socket prepares them too (on PostgreSQL 15, a look-up of 67 µs: 79 with them, 92 to 116 with the simple query). It
// learns that a call deallocated them only when the next calls are on their way, so that is session.ts's to see to.

import type { StatementText } from './prepared-statements.ts';

export interface ResetStatements {
  /** Session user and current user. First, because the role that a call set may not be allowed the rest. */
  readonly identity: readonly string[];
  /** Settings, and what the session listens to, since a call may have said UNLISTEN. */
  readonly settings: readonly string[];
  /** Cursors WITH HOLD, temporary tables, session-level advisory locks. */
  readonly objects: readonly string[];
}

/**
 * @param channels what the session listens to at all times
 * @param user whom the session was opened as, where it cannot tell by itself (the embedded engine); else null
 */
export function resetStatements(channels: readonly string[], user: string | null): ResetStatements {
  return {
    identity: [resetUser(user), 'RESET ROLE'],
    settings: ['RESET ALL', ...channels.map((channel) => `LISTEN ${quoteIdentifier(channel)}`)],
    objects: ['CLOSE ALL', 'DISCARD TEMP', 'SELECT pg_catalog.pg_advisory_unlock_all()'],
  };
}

/** As statements that a session prepares. */
export function preparedResets(texts: readonly string[]): readonly StatementText[] {
  return texts.map((text) => ({ name: `reset ${text}`, text, parameterTypes: [] }));
}

/**
 * What a call leaves behind that changes nothing, but in what set_config() and pg_advisory_lock() can do in any function:
 * after each of those that share a transaction, and once for all of them. Each of these takes 2 µs, so whether a call has
 * changed the role is rather seen from what it returns (PreparedStatement.watched); where it has, those behind it run again.
 */
export const RESETS_OF_READS: {
  readonly each: readonly StatementText[];
  readonly once: readonly StatementText[];
} = {
  each: preparedResets(['RESET ALL']),
  once: preparedResets([resetUser(null), 'RESET ROLE', 'SELECT pg_catalog.pg_advisory_unlock_all()']),
};

/** After each of those that share a transaction, where whom it ends as is not seen. */
export const RESET_ROLE: readonly StatementText[] = preparedResets([resetUser(null), 'RESET ROLE']);

/**
 * RESET SESSION AUTHORIZATION goes back to the user who logged in. In single-user mode, which the embedded engine is in,
 * nobody did, and it does nothing.
 */
export function resetUser(user: string | null): string {
  return user === null ? 'RESET SESSION AUTHORIZATION' : `SET SESSION AUTHORIZATION ${quoteIdentifier(user)}`;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // Works whatever standard_conforming_strings says.
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
