// The password file of libpq (PostgreSQL manual, "The Password File"): finds the password for a connection. Changes nothing.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface PasswordKey {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Rights of group and others: a password file that they may read is not used. */
const OTHERS = 0o077;

const FIELDS = 5;

export interface FoundPassword {
  /** null: the file has none for this connection, or is not used. */
  readonly password: string | null;
  /** The file, where it is not used because of its rights. */
  readonly refused: string | null;
}

/** @param file null: `~/.pgpass` */
export async function findPassword(file: string | null, key: PasswordKey): Promise<FoundPassword> {
  const path = file ?? join(homedir(), '.pgpass');
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) return { password: null, refused: path };
    return { password: passwordIn(await readFile(path, 'utf8'), key), refused: null };
  } catch {
    // As in libpq, a file that is not there or cannot be read has no password.
    return { password: null, refused: null };
  }
}

/** The first line `host:port:database:user:password` that fits; `*` fits all, a backslash goes before `:` and itself. */
export function passwordIn(text: string, { host, port, database, user }: PasswordKey): string | null {
  // A UNIX socket is looked up as localhost.
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = (line.replace(/\r$/, '').match(/(?:^|:)((?:\\.|[^:\\])*)/gsu) ?? []).map((field, i) =>
      (i === 0 ? field : field.slice(1)).replaceAll(/\\(.)/gsu, '$1'),
    );
    if (fields.length < FIELDS) continue;
    if (wanted.every((value, i) => fields[i] === '*' || fields[i] === value))
      return fields[FIELDS - 1] ?? null;
  }
  return null;
}
