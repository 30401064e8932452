// Looks at the text of a client's SQL for what the answer does not tell: which channels it listens to, and whether it may change
// the session. Finds the words of statements, skipping strings, comments and quoted names; parses nothing.

export type ChannelChange =
  | { readonly kind: 'listen'; readonly channel: string }
  | { readonly kind: 'unlisten'; readonly channel: string }
  | { readonly kind: 'unlisten-all' };

const TOKEN =
  /--[^\n]*|\/\*|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[eE]'|'|"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|[;*]/g;
const ESCAPE_STRING = /(?:[^'\\]|\\[\s\S]|'')*'/y;

/** LISTEN and UNLISTEN statements of the text, in order. */
export function channelChanges(text: string): ChannelChange[] {
  if (!/listen|discard/i.test(text)) return [];
  const changes: ChannelChange[] = [];
  let statement: string[] = [];
  for (const token of tokens(text)) {
    if (token !== ';') {
      if (statement.length < 2) statement.push(token);
      continue;
    }
    addChange(changes, statement);
    statement = [];
  }
  addChange(changes, statement);
  return changes;
}

/**
 * Whether the text may change settings or leave objects of the session behind although no command tag says so: functions of
 * settings and advisory locks, cursors and temporary tables.
 */
export function mayChangeSession(text: string): boolean {
  return /set_config|advisory|\btemp|\bhold\b|pg_settings/i.test(text);
}

function addChange(changes: ChannelChange[], statement: readonly string[]): void {
  const [word, name] = statement;
  if (word === undefined || name === undefined) return;
  const verb = word.toLowerCase();
  if (verb === 'listen') changes.push({ kind: 'listen', channel: identifier(name) });
  else if (verb === 'unlisten' && name === '*') changes.push({ kind: 'unlisten-all' });
  else if (verb === 'unlisten') changes.push({ kind: 'unlisten', channel: identifier(name) });
  else if (verb === 'discard' && name.toLowerCase() === 'all') changes.push({ kind: 'unlisten-all' });
}

function identifier(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token.toLowerCase();
}

function* tokens(text: string): Generator<string> {
  const scanner = new RegExp(TOKEN);
  for (let match = scanner.exec(text); match !== null; match = scanner.exec(text)) {
    const token = match[0];
    if (token.startsWith('--')) continue;
    if (token === '/*') {
      scanner.lastIndex = commentEnd(text, scanner.lastIndex);
    } else if (token === "'" || token === "e'" || token === "E'") {
      scanner.lastIndex = stringEnd(text, scanner.lastIndex, token !== "'");
    } else if (token.startsWith('$')) {
      const end = text.indexOf(token, scanner.lastIndex);
      scanner.lastIndex = end < 0 ? text.length : end + token.length;
    } else {
      yield token;
    }
  }
}

function stringEnd(text: string, from: number, escapes: boolean): number {
  if (escapes) {
    ESCAPE_STRING.lastIndex = from;
    return ESCAPE_STRING.test(text) ? ESCAPE_STRING.lastIndex : text.length;
  }
  for (let at = text.indexOf("'", from); at >= 0; at = text.indexOf("'", at + 2)) {
    if (text[at + 1] !== "'") return at + 1;
  }
  return text.length;
}

/** Comments nest in SQL. */
function commentEnd(text: string, from: number): number {
  let depth = 1;
  const ends = /\/\*|\*\//g;
  ends.lastIndex = from;
  for (let match = ends.exec(text); match !== null; match = ends.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return ends.lastIndex;
  }
  return text.length;
}
