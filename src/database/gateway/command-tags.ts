// What a command tag tells about a client's transaction: what of the session may have changed.

const SESSION_VERBS = new Set(['CALL', 'DO', 'DECLARE', 'DISCARD', 'EXECUTE', 'LOAD', 'RESET', 'SET']);

function verb(tag: string): string {
  return tag.split(' ', 1)[0] ?? '';
}

/** Whether settings, roles or session objects may be others. A function called by a SELECT is not seen here (sql-scan.ts). */
export function mayChangeSession(tag: string): boolean {
  return SESSION_VERBS.has(verb(tag)) || tag.startsWith('CREATE TABLE') || tag.startsWith('SELECT INTO');
}

/** Whether all prepared statements of the session are gone. */
export function dropsStatements(tag: string): boolean {
  return tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL';
}

/** Whether what the session listens to may have changed. */
export function changesChannels(tag: string): boolean {
  return tag === 'LISTEN' || tag === 'UNLISTEN' || tag === 'DISCARD ALL';
}
