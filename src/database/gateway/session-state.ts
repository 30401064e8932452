// The state of one client's session, as SQL: what reads it, what brings it back. Clients share the engine's one session, so
// what one of them SETs is taken out when its transaction is over, and put back before its next one.
import type { SqlResult } from '../exchange-result.ts';
import { ENGINE_USER } from '../embedded/engine-channel.ts';
import { quoteIdentifier, quoteLiteral, resetUser } from '../session-reset.ts';

export interface SessionState {
  /** Setting → value; without those that have their default. */
  readonly settings: ReadonlyMap<string, string>;
  /** Role of SET ROLE; `none` where there is none. */
  readonly role: string;
  /** User of SET SESSION AUTHORIZATION; null: the one that the session was opened as. */
  readonly user: string | null;
  /** Whether it has temporary tables, cursors WITH HOLD or advisory locks. */
  readonly holdsObjects: boolean;
}

export const PLAIN_STATE: SessionState = {
  settings: new Map(),
  role: 'none',
  user: null,
  holdsObjects: false,
};

/** Reads who the session acts as, and then all the rest, as the user who may see it. Leaves identity reset. */
export const READ_STATE = `SELECT current_setting('role'), session_user;
${resetUser(ENGINE_USER)};
RESET ROLE;
SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session';
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema())
  OR EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory')
  OR EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)`;

/** Makes settings and identity those of an untouched session; objects stay. */
export const RESET_STATE = `${resetUser(ENGINE_USER)}; RESET ROLE; RESET ALL`;

/** Ends what a client that left had in the session. */
export const DROP_OBJECTS = 'CLOSE ALL; DISCARD TEMP; SELECT pg_catalog.pg_advisory_unlock_all()';

export function parseState(results: readonly SqlResult[]): SessionState {
  const [identity, , , settings, objects] = results;
  const [role, user] = identity?.rows[0] ?? [];
  return {
    settings: new Map((settings?.rows ?? []).map(([name, value]) => [name ?? '', value ?? ''])),
    role: role ?? 'none',
    user: user === undefined || user === ENGINE_USER ? null : user,
    holdsObjects: objects?.rows[0]?.[0] === 't',
  };
}

/** SQL that brings the state back; empty where there is nothing to bring back. */
export function restoreState(state: SessionState): string {
  const statements: string[] = [];
  if (state.settings.size > 0) {
    const calls = [...state.settings].map(
      ([name, value]) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`,
    );
    statements.push(`SELECT ${calls.join(', ')}`);
  }
  if (state.user !== null) statements.push(`SET SESSION AUTHORIZATION ${quoteIdentifier(state.user)}`);
  if (state.role !== 'none') statements.push(`SET ROLE ${quoteIdentifier(state.role)}`);
  return statements.join('; ');
}

/** Settings that a startup packet asks for: its parameters that are none of the protocol's, and `options=-c name=value`. */
export function startupSettings(parameters: ReadonlyMap<string, string>): Map<string, string> {
  const settings = new Map<string, string>();
  for (const option of commandLineOptions(parameters.get('options') ?? '')) {
    const equals = option.indexOf('=');
    if (equals > 0) settings.set(option.slice(0, equals).replaceAll('-', '_'), option.slice(equals + 1));
  }
  for (const [name, value] of parameters) {
    if (!['user', 'database', 'options', 'replication'].includes(name)) settings.set(name, value);
  }
  return settings;
}

/** `-c a=b`, `-ca=b` and `--a=b`; a backslash takes the next character as it is. */
function commandLineOptions(text: string): string[] {
  const words = (text.match(/(?:\\[\s\S]|[^\s\\])+/g) ?? []).map((word) =>
    word.replaceAll(/\\([\s\S])/g, '$1'),
  );
  const options: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '-c') {
      index += 1;
      options.push(words[index] ?? '');
    } else if (word.startsWith('-c') || word.startsWith('--')) {
      options.push(word.slice(2));
    }
  }
  return options;
}

/** Names of settings are the same in any case. */
export function findSetting(settings: ReadonlyMap<string, string>, name: string): string | undefined {
  const exact = settings.get(name);
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  for (const [other, value] of settings) if (other.toLowerCase() === wanted) return value;
  return undefined;
}
