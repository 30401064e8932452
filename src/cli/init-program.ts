// `howdah init` on the command line: its argument and help. What it does is in init-command.ts.
import { Command } from 'commander';
import { exitCodesHelp } from './exit-codes.ts';

export interface InitSettings {
  /** The directory that gets the project. */
  readonly directory: string;
}

export function initCommand(run: (settings: InitSettings) => Promise<void>): Command {
  return new Command('init')
    .description('Write a small project that works: SQL, TypeScript, a page and a test.')
    .argument('<DIR>', 'directory of the project: made if missing, and empty if not')
    .addHelpText(
      'after',
      `
Example:
  howdah init notes && cd notes && npm install && npm run dev

${exitCodesHelp()}`,
    )
    .action(async (directory: string) => run({ directory }));
}
