// `howdah install`: brings the schema of a database up to this program's, or prints the SQL that would.
import { parseConnectionString } from '../database/server/connection-string.ts';
import { withSetupSession } from '../database/server/server-database.ts';
import { install } from '../fleet/open-database.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { InstallSettings } from './install-program.ts';

export interface InstallStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const SILENT = { observe: () => undefined };

export async function runInstall(
  settings: InstallSettings,
  env: Readonly<Record<string, string | undefined>>,
  { stdout, stderr }: InstallStreams,
): Promise<number> {
  const connection = parseConnectionString(settings.url, env);
  const versions = await withSetupSession(connection, SILENT, (session) => {
    if (!settings.dryRun) return install(session, settings);
    const printing = {
      query: (text: string, parameters?: readonly (string | null)[]) => session.query(text, parameters),
      exec: (text: string) => {
        stdout.write(`${text.trim().replace(/;$/, '')};\n`);
        return Promise.resolve([]);
      },
    };
    return install(printing, settings);
  });
  const { from, to } = versions;
  // Not among the SQL.
  const report = settings.dryRun ? stderr : stdout;
  const would = settings.dryRun ? 'would be ' : '';
  if (from === to) report.write(`the schema is up to date (migration ${to})\n`);
  else if (from === 0) report.write(`the schema ${would}installed (migration ${to})\n`);
  else report.write(`the schema ${would}upgraded from migration ${from} to ${to}\n`);
  return EXIT_CODES.done.code;
}
