// The commands: turns arguments and environment into typed settings and gives them to what each command does. Options of
// `serve` are in serve-program.ts, those of `install` in install-program.ts; what the commands do is in *-command.ts.
import { Command, CommanderError, Option } from 'commander';
import { EXIT_CODES, exitCodesHelp } from './exit-codes.ts';
import { restartCommand, statusCommand } from './fleet-program.ts';
import type { RestartSettings, StatusSettings } from './fleet-program.ts';
import { doctorCommand } from './doctor-program.ts';
import type { DoctorSettings } from './doctor-program.ts';
import { installCommand } from './install-program.ts';
import type { InstallSettings } from './install-program.ts';
import { initCommand } from './init-program.ts';
import type { InitSettings } from './init-program.ts';
import { devCommand, serveCommand } from './serve-program.ts';
import type { ServeSettings } from './serve-settings.ts';
import { addServerChoice, serverChoice } from './server-choice.ts';
import type { ServerChoice } from './server-choice.ts';
import { applyEnvironment } from './settings.ts';
import type { Environment } from './settings.ts';
import { packageVersion } from '../fleet/version.ts';

export interface SqlSettings extends ServerChoice {
  readonly command: string | null;
  /** null: standard input. */
  readonly file: string | null;
}

export interface RoutesSettings extends ServerChoice {
  readonly json: boolean;
}

/** What each command does; the number is the exit code. */
export interface Actions {
  serve(settings: ServeSettings): Promise<number>;
  sql(settings: SqlSettings): Promise<number>;
  routes(settings: RoutesSettings): Promise<number>;
  install(settings: InstallSettings): Promise<number>;
  doctor(settings: DoctorSettings): Promise<number>;
  status(settings: StatusSettings): Promise<number>;
  restart(settings: RestartSettings): Promise<number>;
  init(settings: InitSettings): Promise<number>;
}

export interface ProgramOutput {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

/** Runs the command that `args` (without node and script) name, and gives the exit code. */
export async function runProgram(
  args: readonly string[],
  env: Environment,
  output: ProgramOutput,
  actions: Actions,
): Promise<number> {
  let exitCode: number = EXIT_CODES.done.code;
  const program = new Command('howdah')
    .description('An HTTP server whose listeners, routes and handlers live in PostgreSQL.')
    .version(`howdah ${packageVersion()}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .hook('preAction', (_, action) => {
      applyEnvironment(action, env);
    });
  for (const command of [
    serveCommand(async (settings) => {
      exitCode = await actions.serve(settings);
    }),
    devCommand(async (settings) => {
      exitCode = await actions.serve(settings);
    }),
    initCommand(async (settings) => {
      exitCode = await actions.init(settings);
    }),
    sqlCommand(async (settings) => {
      exitCode = await actions.sql(settings);
    }),
    routesCommand(async (settings) => {
      exitCode = await actions.routes(settings);
    }),
    installCommand(async (settings) => {
      exitCode = await actions.install(settings);
    }),
    doctorCommand(async (settings) => {
      exitCode = await actions.doctor(settings);
    }),
    statusCommand(async (settings) => {
      exitCode = await actions.status(settings);
    }),
    restartCommand(async (settings) => {
      exitCode = await actions.restart(settings);
    }),
  ]) {
    program.addCommand(command.helpOption('-h, --help', 'print help'));
  }
  for (const command of [program, ...program.commands]) command.configureOutput(output).exitOverride();

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed its one line or the help; 0 is for --help and --version.
    return error.exitCode === 0 ? EXIT_CODES.done.code : EXIT_CODES.usage.code;
  }
  return exitCode;
}

function sqlCommand(run: (settings: SqlSettings) => Promise<void>): Command {
  const command = new Command('sql')
    .description('Run SQL on a running server: a text, a file, standard input, or typed in by hand.')
    .argument('[FILE]', 'file with SQL; - or nothing: standard input')
    .addOption(new Option('-c, --command <TEXT>', 'SQL to run'));
  return addServerChoice(command)
    .addHelpText(
      'after',
      `
Each statement is a transaction of its own unless the SQL says otherwise (begin … commit). Except on a terminal, the
first error ends the command with exit code ${EXIT_CODES.failed.code}.

Examples:
  howdah sql                                     type statements, each ended by ;
  howdah sql -c 'select * from omni_httpd.routes'
  howdah sql schema.sql
  echo 'select 1;' | howdah sql --url postgres://127.0.0.1:5433

${exitCodesHelp()}`,
    )
    .action(async (file: string | undefined, flags: { command?: string }, self: Command) => {
      if (file !== undefined && flags.command !== undefined) {
        self.error("error: option '-c, --command <TEXT>' cannot be used with a FILE");
      }
      await run({
        ...serverChoice(self),
        command: flags.command ?? null,
        file: file === undefined || file === '-' ? null : file,
      });
    });
}

function routesCommand(run: (settings: RoutesSettings) => Promise<void>): Command {
  const command = new Command('routes')
    .description('List the routes of a running server, and what is wrong with those that it left out.')
    .addOption(new Option('--json', 'print one JSON object instead of tables'));
  return addServerChoice(command)
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .action(async (flags: { json?: boolean }, self: Command) => {
      await run({ ...serverChoice(self), json: flags.json ?? false });
    });
}
