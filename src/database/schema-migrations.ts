// The migrations of the SQL schema as the files in sql/ hold them. Reads and puts them together; applies nothing.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Migration {
  /** Counts from 1 without gaps. */
  readonly number: number;
  /** The topic in the file's name. */
  readonly name: string;
  /** The file's text with everything that it includes. */
  readonly sql: string;
  /** Hexadecimal, of `sql`. */
  readonly sha256: string;
}

export interface SchemaSource {
  /** In order of their numbers. */
  readonly migrations: readonly Migration[];
  /** Runs once, after all migrations of a fresh installation. */
  readonly init: string;
}

/** Lies beside src/ in the repository and beside dist/ in the package: two folders up from here in both. */
export const SQL_DIRECTORY = fileURLToPath(new URL('../../sql', import.meta.url));

const FILE_NAME = /^(\d{3})_([a-z0-9_]+)\.sql$/;

/** As in psql (`\ir`: relative to the including file), so that psql can run the files as they are. */
const INCLUDE = /^\\ir (\S+)[ \t]*$/gm;

/**
 * Reads `schema/NNN_topic.sql` and `init.sql` of `directory`.
 *
 * @throws Error where a file is missing, a name does not fit, or a number is missing or there twice
 */
export async function readSchemaSource(directory: string = SQL_DIRECTORY): Promise<SchemaSource> {
  const names = await readdir(resolve(directory, 'schema'));
  const migrations: Migration[] = [];
  for (const file of names.toSorted()) {
    const [, digits, name] = FILE_NAME.exec(file) ?? [];
    if (digits === undefined || name === undefined) throw new Error(`not the name of a migration: ${file}`);
    const number = Number(digits);
    if (number !== migrations.length + 1) {
      throw new Error(`migration ${file}: expected number ${migrations.length + 1}`);
    }
    const sql = await expand(resolve(directory, 'schema', file));
    migrations.push({ number, name, sql, sha256: createHash('sha256').update(sql).digest('hex') });
  }
  return { migrations, init: await expand(resolve(directory, 'init.sql')) };
}

async function expand(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(INCLUDE)) {
    const [line, included] = match;
    if (included === undefined) continue;
    parts.push(text.slice(end, match.index), await expand(resolve(dirname(path), included)));
    end = match.index + line.length;
  }
  parts.push(text.slice(end));
  return parts.join('');
}
