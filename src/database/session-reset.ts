// What brings a session back to how it was opened, after a call that may have changed it. Does not decide when.
//
// DISCARD ALL would do all of it in one statement, but it also drops the prepared statements, and it cannot run beside
// others before a Sync. Measured on the embedded engine (one Bind/Execute of a lookup: 16 µs), each statement here adds 2 to 7
// µs when it is prepared, where the seven of them as one simple query add 46 µs and more, since each is parsed anew.
// Prepared statements of one group before one Sync are the cheapest form that needs no function in the database.

/** Session user and current user. */
const IDENTITY: readonly string[] = ['RESET SESSION AUTHORIZATION', 'RESET ROLE'];

/** Settings, cursors WITH HOLD, temporary tables, session-level advisory locks. */
const STATE: readonly string[] = [
  'RESET ALL',
  'CLOSE ALL',
  'DISCARD TEMP',
  'SELECT pg_catalog.pg_advisory_unlock_all()',
];

/**
 * The statements, in the order in which they must run: identity first, because the role that a call set may not be
 * allowed the rest.
 *
 * @param channels what the session listens to; listened to again, since a call may have said UNLISTEN
 */
export function resetStatements(channels: readonly string[]): { identity: string[]; state: string[] } {
  return {
    identity: [...IDENTITY],
    state: [...STATE, ...channels.map((channel) => `LISTEN ${quoteIdentifier(channel)}`)],
  };
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
