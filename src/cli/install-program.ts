// `howdah install` on the command line: its options and help. What it does is in install-command.ts.
import { Command } from 'commander';
import { exitCodesHelp } from './exit-codes.ts';
import { parseTcpAddress, type TcpAddress } from './option-values.ts';
import { Setting, valueParser } from './settings.ts';

export interface InstallSettings {
  /** Connection string of a PostgreSQL server. */
  readonly url: string;
  /** null: not given. */
  readonly listen: TcpAddress | null;
  readonly noInit: boolean;
  /** Prints the SQL and changes nothing. */
  readonly dryRun: boolean;
}

interface InstallFlags {
  readonly database?: string;
  readonly listen?: TcpAddress;
  readonly init: boolean;
  readonly dryRun?: boolean;
}

export function installCommand(run: (settings: InstallSettings) => Promise<void>): Command {
  return new Command('install')
    .description('Install or upgrade the SQL schema in the database of a PostgreSQL server.')
    .addOption(
      new Setting('--database <URL>', 'the database: postgres://…, name=value …, or env (DATABASE_URL, PG*)'),
    )
    .addOption(
      new Setting(
        '--listen <HOST:PORT>',
        'first listener of a new installation, 127.0.0.1:8080 by default',
      ).argParser(valueParser(parseTcpAddress)),
    )
    .addOption(new Setting('--no-init', 'do not add a listener and a default page to a new installation'))
    .addOption(new Setting('--dry-run', 'print the SQL that would run, and change nothing'))
    .addHelpText(
      'after',
      `
Examples:
  howdah install --database postgres://app@db/app
  howdah install --database env --dry-run > howdah.sql

${exitCodesHelp()}`,
    )
    .action(async (_flags: unknown, command: Command) => {
      const { database, listen, init, dryRun } = command.opts<InstallFlags>();
      if (database === undefined) {
        command.error("error: required option '--database <URL>' not specified");
      } else {
        await run({ url: database, listen: listen ?? null, noInit: !init, dryRun: dryRun ?? false });
      }
    });
}
