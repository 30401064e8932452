// What `howdah serve` prints when it accepts: what runs, and one line for each listener. Prints nothing itself.
import type { RunningServer } from '../fleet/serve.ts';
import { DEFAULT_DATA_DIRECTORY } from './server-choice.ts';

export interface BannerFacts {
  readonly version: string;
  readonly server: Pick<
    RunningServer,
    'adminUrl' | 'database' | 'gatewayUrl' | 'listeners' | 'problems' | 'workers'
  >;
  /** null: in memory. */
  readonly dataDirectory: string | null;
}

/** Width of the column of addresses: the longest IPv4 one fits, and the SQL hint stays within 100 columns. */
const ADDRESS_WIDTH = 33;

export function banner({ version, server, dataDirectory }: BannerFacts): string {
  const workers = server.workers === 1 ? '1 worker' : `${server.workers} workers`;
  const lines = [`howdah ${version} · ${server.database} · ${workers}`];
  const [first, ...others] = server.listeners.map(({ url }) => url);
  const hint = server.gatewayUrl === null ? '' : sqlHint(server.gatewayUrl, dataDirectory);
  lines.push(`${(first ?? 'no listener yet').padEnd(ADDRESS_WIDTH)}${hint}`.trimEnd(), ...others);
  if (server.adminUrl !== null)
    lines.push(`${server.adminUrl.padEnd(ADDRESS_WIDTH)}for /livez, /readyz, /metrics`);
  lines.push(...server.problems);
  return `${lines.join('\n')}\n`;
}

/** The shortest commands that reach the server from the directory that it was started in. */
function sqlHint(gatewayUrl: string, dataDirectory: string | null): string {
  if (dataDirectory === null) return `SQL: npx howdah sql --url ${gatewayUrl}`;
  const data = dataDirectory === DEFAULT_DATA_DIRECTORY ? '' : ` --data ${quoted(dataDirectory)}`;
  return `SQL: npx howdah sql${data}   (psql ${gatewayUrl})`;
}

const quoted = (word: string): string =>
  /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
