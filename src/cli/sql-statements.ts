// Splits SQL text into statements at the semicolons that end one, as psql does. Knows how PostgreSQL quotes (its
// documentation, §4.1 Lexical Structure), and nothing else of the language but the body of a SQL-standard function.

export interface Statement {
  /** Begins with the statement's first token; without the semicolon. */
  readonly text: string;
  /** 1-based, within the text that was split. */
  readonly line: number;
}

/** A line of a shell's own language: `\q`. */
export interface MetaCommand {
  readonly meta: string;
  readonly line: number;
}

export interface Split {
  readonly items: readonly (Statement | MetaCommand)[];
  /** What follows the last semicolon, from its first token or a comment that is not closed; null if there is neither. */
  readonly rest: Statement | null;
}

const SPACE = /\s+/y;
const LINE_COMMENT = /--[^\n]*/y;
const META_COMMAND = /\\[^\n]*/y;
const WORD = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy;
const NUMBER = /\d[\w.]*/y;
const DOLLAR_QUOTE = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;
const PLAIN_STRING = /'(?:[^']|'')*('|$)/y;
const ESCAPE_STRING = /'(?:[^'\\]|''|\\[^])*('|\\?$)/y;
const QUOTED_NAME = /"(?:[^"]|"")*("|$)/y;

export function splitStatements(sql: string): Split {
  const items: (Statement | MetaCommand)[] = [];
  let at = 0;
  let start = -1;
  let depth = 0;
  let body = new BodyDepth();

  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0] ?? null;
  };
  const statement = (end: number): Statement => ({
    text: sql.slice(start, end),
    line: lineAt(sql, start),
  });

  while (at < sql.length) {
    const comment = blockCommentEnd(sql, at);
    if (comment !== null) {
      // One that is not closed is not over: what comes after it, on the next line perhaps, is still part of it.
      if (comment.open && start < 0) start = at;
      at = comment.end;
      continue;
    }
    const skipped = match(SPACE) ?? match(LINE_COMMENT);
    if (skipped !== null) {
      at += skipped.length;
      continue;
    }
    if (start < 0) {
      const meta = match(META_COMMAND);
      if (meta !== null) {
        items.push({ meta: meta.trimEnd(), line: lineAt(sql, at) });
        at += meta.length;
        continue;
      }
      start = at;
    }
    const character = sql[at] ?? '';
    if (character === ';' && depth <= 0 && !body.open) {
      // A semicolon by itself is an empty statement: nothing to run.
      if (start < at) items.push({ ...statement(at), text: sql.slice(start, at).trimEnd() });
      at += 1;
      start = -1;
      depth = 0;
      body = new BodyDepth();
      continue;
    }
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    at += tokenLength(match, sql, at, (word) => {
      if (depth === 0) body.see(word);
    });
  }
  return { items, rest: start < 0 ? null : statement(sql.length) };
}

function tokenLength(
  match: (pattern: RegExp) => string | null,
  sql: string,
  at: number,
  seeWord: (word: string) => void,
): number {
  const word = match(WORD);
  if (word !== null) {
    if ((word === 'e' || word === 'E') && sql[at + 1] === "'") {
      ESCAPE_STRING.lastIndex = at + 1;
      return 1 + (ESCAPE_STRING.exec(sql)?.[0].length ?? 0);
    }
    seeWord(word.toLowerCase());
    return word.length;
  }
  const tag = match(DOLLAR_QUOTE);
  if (tag !== null) {
    const end = sql.indexOf(tag, at + tag.length);
    return end < 0 ? sql.length - at : end + tag.length - at;
  }
  return (match(NUMBER) ?? match(PLAIN_STRING) ?? match(QUOTED_NAME) ?? ' ').length;
}

/** Where the comment that begins here ends; null where none begins. They nest, unlike those of C. */
function blockCommentEnd(sql: string, at: number): { end: number; open: boolean } | null {
  if (!sql.startsWith('/*', at)) return null;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = at + 2;
  for (let depth = 1, found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return { end: mark.lastIndex, open: false };
  }
  return { end: sql.length, open: true };
}

// Between BEGIN ATOMIC and END of a function, semicolons separate the statements of its body. BEGIN counts in a CREATE
// FUNCTION or PROCEDURE only: elsewhere it starts a transaction.
class BodyDepth {
  #words: string[] = [];
  #depth = 0;

  get open(): boolean {
    return this.#depth > 0;
  }

  see(word: string): void {
    if (this.#words.length < 4) this.#words.push(word);
    if (!/^create (?:or replace )?(?:function|procedure)\b/.test(this.#words.join(' '))) return;
    if (word === 'begin' || (word === 'case' && this.open)) this.#depth += 1;
    else if (word === 'end' && this.open) this.#depth -= 1;
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
