// `howdah doctor` on the command line: its options and help. What it does is in doctor-command.ts.
import { Command, Option } from 'commander';
import { EXIT_CODES, exitCodesHelp } from './exit-codes.ts';
import { parseCount } from './option-values.ts';
import { Setting, valueParser } from './settings.ts';

export interface DoctorSettings {
  /** Connection string of a PostgreSQL server. */
  readonly url: string;
  /** As `howdah serve` is to be started. */
  readonly maxSessions: number;
  readonly workers: number;
  readonly json: boolean;
}

interface DoctorFlags {
  readonly database?: string;
  readonly sessions: number;
  readonly workers: number;
  readonly json?: boolean;
}

const HIGHEST_COUNT = 1000;

export function doctorCommand(run: (settings: DoctorSettings) => Promise<void>): Command {
  return new Command('doctor')
    .description('Say what stands in the way of serving from a PostgreSQL server, and what mends it.')
    .addOption(
      new Setting('--database <URL>', 'the database: postgres://…, name=value …, or env (DATABASE_URL, PG*)'),
    )
    .addOption(
      new Setting('--sessions <N>', 'sessions of all workers, as howdah serve is to be started')
        .argParser(valueParser((text) => parseCount(text, HIGHEST_COUNT)))
        .default(8),
    )
    .addOption(
      new Setting('--workers <N>', 'workers, likewise')
        .argParser(valueParser((text) => parseCount(text, HIGHEST_COUNT)))
        .default(1),
    )
    .addOption(new Option('--json', 'print the findings as JSON'))
    .addHelpText(
      'after',
      `
It changes nothing. Exit code ${EXIT_CODES.done.code}: nothing stands in the way, though there may be warnings; ${EXIT_CODES.failed.code}: something does.

Examples:
  howdah doctor --database postgres://app@db/app
  howdah doctor --database env --json

${exitCodesHelp()}`,
    )
    .action(async (_flags: unknown, command: Command) => {
      const { database, sessions, workers, json } = command.opts<DoctorFlags>();
      if (database === undefined) {
        command.error("error: required option '--database <URL>' not specified");
      } else {
        await run({ url: database, maxSessions: sessions, workers, json: json ?? false });
      }
    });
}
