// Runs the program on arguments and an environment, with commands that only note which settings they got.
import type { RestartSettings, StatusSettings } from '../../src/cli/fleet-program.ts';
import type { InitSettings } from '../../src/cli/init-program.ts';
import type { InstallSettings } from '../../src/cli/install-program.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { RoutesSettings, SqlSettings } from '../../src/cli/program.ts';
import type { ServeSettings } from '../../src/cli/serve-settings.ts';

/** What each command was given. */
interface Given {
  serve?: ServeSettings;
  sql?: SqlSettings;
  routes?: RoutesSettings;
  install?: InstallSettings;
  status?: StatusSettings;
  restart?: RestartSettings;
  init?: InitSettings;
}

interface Run extends Readonly<Given> {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** @param ends the exit code of what the command does */
export async function run(args: readonly string[], env: Record<string, string> = {}, ends = 0): Promise<Run> {
  const given: Given = {};
  let out = '';
  let err = '';
  const output = {
    writeOut: (text: string) => void (out += text),
    writeErr: (text: string) => void (err += text),
  };
  const note =
    <C extends keyof Given>(command: C) =>
    async (settings: NonNullable<Given[C]>): Promise<number> => {
      given[command] = settings;
      return ends;
    };
  const exitCode = await runProgram(args, env, output, {
    serve: note('serve'),
    sql: note('sql'),
    routes: note('routes'),
    doctor: async () => 0,
    install: note('install'),
    status: note('status'),
    restart: note('restart'),
    init: note('init'),
  });
  return { exitCode, out, err, ...given };
}
