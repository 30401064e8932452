// The options by which a command finds the running server that it talks to: its data directory or a connection string.
// How they become an address is in server-address.ts.
import type { Command } from 'commander';
import { Setting } from './settings.ts';

export const DEFAULT_DATA_DIRECTORY = '.howdah';

/** How to find the server that `sql` and `routes` talk to. */
export interface ServerChoice {
  readonly dataDirectory: string;
  /** A PostgreSQL connection string that goes before the data directory, or null. */
  readonly url: string | null;
}

export function addServerChoice(command: Command): Command {
  return command
    .addOption(
      new Setting('--data <DIR>', 'data directory of the running server to talk to').default(
        DEFAULT_DATA_DIRECTORY,
      ),
    )
    .addOption(new Setting('--url <URL>', 'PostgreSQL connection string of the server, instead of --data'));
}

interface ServerChoiceFlags {
  readonly data: string;
  readonly url?: string;
}

/** As for `--memory`: a `--data` of the command line goes before an URL of the environment. */
export function serverChoice(command: Command): ServerChoice {
  const { data, url } = command.opts<ServerChoiceFlags>();
  const byData =
    command.getOptionValueSource('data') === 'cli' && command.getOptionValueSource('url') === 'env';
  return { dataDirectory: data, url: byData ? null : (url ?? null) };
}
