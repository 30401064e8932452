// Options that have one name everywhere: `--max-body-bytes` on the command line is HOWDAH_MAX_BODY_BYTES in the
// environment. The command line wins, then the environment, then the default. Knows no single option.
import { delimiter } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { BadValue, parseSwitch } from './option-values.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** An option that can be set in the environment as well. */
export class Setting extends Option {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.description = `${description} (env: ${environmentName(this)})`;
  }
}

/** A setting that can be given several times; in the environment, the values stand as those of PATH do. */
export class ListSetting extends Setting {
  constructor(flags: string, description: string) {
    super(flags, description);
    this.default([] as readonly string[], 'none');
    this.argParser((value: string, former: readonly string[]) => [...former, value]);
  }
}

/** `--pg-listen` → `HOWDAH_PG_LISTEN`. */
function environmentName(option: Option): string {
  return `HOWDAH_${(option.long ?? '').slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** Makes a parser of option-values.ts fit for commander, which reports its own class of errors in one line. */
export function valueParser<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof BadValue ? new InvalidArgumentError(error.message) : error;
    }
  };
}

/** Fills in what the command line left open. An empty variable counts as none: that is how compose files unset one. */
export function applyEnvironment(command: Command, env: Environment): void {
  for (const option of command.options) {
    if (!(option instanceof Setting)) continue;
    const text = env[environmentName(option)];
    const name = option.attributeName();
    if (text === undefined || text === '' || command.getOptionValueSource(name) === 'cli') continue;
    try {
      command.setOptionValueWithSource(name, environmentValue(option, text), 'env');
    } catch (error) {
      if (!(error instanceof InvalidArgumentError || error instanceof BadValue)) throw error;
      command.error(
        `error: environment variable ${environmentName(option)} value '${text}' is invalid. ${error.message}`,
      );
    }
  }
}

function environmentValue(option: Setting, text: string): unknown {
  if (option.negate) return !parseSwitch(text);
  if (option.isBoolean()) return parseSwitch(text);
  if (option instanceof ListSetting) return text.split(delimiter).filter((part) => part !== '');
  if (option.parseArg === undefined) return text;
  return option.parseArg(text, undefined as never);
}
