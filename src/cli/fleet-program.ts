// `howdah status` and `howdah restart` on the command line: their options and help. What they do is in status-command.ts.
import { Command, Option } from 'commander';
import { exitCodesHelp } from './exit-codes.ts';
import { BadValue } from './option-values.ts';
import { addServerChoice, serverChoice, type ServerChoice } from './server-choice.ts';
import { valueParser } from './settings.ts';

export interface StatusSettings extends ServerChoice {
  readonly json: boolean;
}

export interface RestartSettings extends ServerChoice {
  /** Identifier of a server in howdah.nodes; null: all of the database. */
  readonly node: string | null;
  /** Whether the command ends when the workers are replaced. */
  readonly wait: boolean;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function parseNode(text: string): string {
  if (!UUID.test(text)) throw new BadValue('It is to be an id of howdah.nodes.');
  return text;
}

export function statusCommand(run: (settings: StatusSettings) => Promise<void>): Command {
  const command = new Command('status')
    .description('Show what the workers of running servers do.')
    .addOption(new Option('--json', 'print one JSON object instead of tables'));
  return addServerChoice(command)
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .action(async (flags: { json?: boolean }, self: Command) => {
      await run({ ...serverChoice(self), json: flags.json ?? false });
    });
}

export function restartCommand(run: (settings: RestartSettings) => Promise<void>): Command {
  const command = new Command('restart')
    .description(
      'Replace the worker processes of running servers, one after another, without a request lost.',
    )
    .addOption(
      new Option('--node <ID>', 'of this server only: an id of howdah.nodes').argParser(
        valueParser(parseNode),
      ),
    )
    .addOption(new Option('--no-wait', 'end when it is asked for, not when it is done'));
  return addServerChoice(command)
    .addHelpText('after', `\n${exitCodesHelp()}`)
    .action(async (flags: { node?: string; wait: boolean }, self: Command) => {
      await run({ ...serverChoice(self), node: flags.node ?? null, wait: flags.wait });
    });
}
