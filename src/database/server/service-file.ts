// The service file of libpq (PostgreSQL manual, "The Connection Service File"): parameters of connections by a name. Connects to
// nothing.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The parameters of a service: from the user's own file (PGSERVICEFILE, or `~/.pg_service.conf`), or else from that of the machine, in
 * the directory PGSYSCONFDIR.
 *
 * @throws Error that says what was looked at, where there is no such service
 */
export function findService(name: string, env: Environment): ReadonlyMap<string, string> {
  const own = env['PGSERVICEFILE'] ?? join(homedir(), '.pg_service.conf');
  const directory = env['PGSYSCONFDIR'];
  const files = directory === undefined ? [own] : [own, join(directory, 'pg_service.conf')];
  const read: string[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      read.push(error instanceof Error ? error.message : String(error));
      continue;
    }
    const found = serviceIn(text, name);
    if (found !== null) return found;
    read.push(`it is not in ${file}`);
  }
  throw new Error(`there is no service ${name}: ${read.join('; ')}`);
}

/** The lines `name=value` behind the first `[name]`; null where there is none. */
export function serviceIn(text: string, name: string): ReadonlyMap<string, string> | null {
  let found: Map<string, string> | null = null;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found !== null) break;
      if (line === `[${name}]`) found = new Map();
      continue;
    }
    if (found === null) continue;
    const at = line.indexOf('=');
    if (at < 1) throw new Error(`the service ${name} has a line that is no name=value`);
    found.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return found;
}
