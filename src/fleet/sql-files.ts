// The files of --sql: found, read, and run one by one, each in a transaction of its own.
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HowdahError } from '../errors.ts';
import type { SqlError } from '../database/call.ts';
import { SqlFailure } from '../database/exchange-result.ts';

/** Runs the text of a file as one simple query: one transaction, unless the file begins and ends its own. None is left open. */
export type ExecSql = (text: string) => Promise<unknown>;

/**
 * Runs files as given, and the `*.sql` of directories in order of name.
 * @throws HowdahError HOWDAH_SQL_FAILED with file, line and message; of that file nothing is left, those before it are
 */
export async function runSqlFiles(paths: readonly string[], exec: ExecSql): Promise<void> {
  for (const path of paths) for (const file of await sqlFiles(path)) await runSqlFile(file, exec);
}

/** The file, or the `*.sql` of the directory in order of name. */
export async function sqlFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => name.endsWith('.sql'))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw new HowdahError('HOWDAH_SQL_FAILED', message(error), { cause: error });
  }
}

/** @throws HowdahError HOWDAH_SQL_FAILED */
export async function runSqlFile(file: string, exec: ExecSql): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new HowdahError('HOWDAH_SQL_FAILED', message(error), { cause: error });
  }
  try {
    await exec(text);
  } catch (error) {
    const place = error instanceof SqlFailure ? placeOf(text, error.sql) : null;
    const [where, shown] = place === null ? ['', ''] : [`:${place.line}`, `\n${place.excerpt}`];
    throw new HowdahError('HOWDAH_SQL_FAILED', `${file}${where}: ${message(error)}${shown}`, {
      cause: error,
    });
  }
}

/** Of a line that is longer, this many characters around the place are shown. */
const SHOWN_CHARACTERS = 100;

/** The line of the error's position, which counts characters (not UTF-16 units) from 1, and the line with a mark below the place. */
function placeOf(text: string, { position }: SqlError): { line: number; excerpt: string } | null {
  if (position === undefined) return null;
  const characters = Array.from(text);
  const before = characters.slice(0, position - 1);
  const begin = before.lastIndexOf('\n') + 1;
  const end = characters.indexOf('\n', begin);
  const line = characters.slice(begin, end < 0 ? undefined : end);
  const column = before.length - begin;
  const from = Math.max(0, column - SHOWN_CHARACTERS / 2);
  const shown = line
    .slice(from, from + SHOWN_CHARACTERS)
    .map((character) => (character === '\t' ? ' ' : character));
  return {
    line: before.filter((character) => character === '\n').length + 1,
    excerpt: `    ${shown.join('').trimEnd()}\n    ${' '.repeat(column - from)}^`,
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
