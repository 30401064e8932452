// The command line of the benchmarks.
import { parseArgs } from 'node:util';

const DEFAULT_RUNS = 5;
const DEFAULT_SECONDS = 5;

export const USAGE = `npm run bench -- [SCENARIO…] [--runs N] [--seconds S] [--json FILE] [--publish [--from FILE]…] [--rehearse] [--list]

  SCENARIO       one of the scenarios below; all of them if none is named
  --runs N       how many times each contestant runs (default ${DEFAULT_RUNS})
  --seconds S    how long a run is measured, in whole seconds (default ${DEFAULT_SECONDS})
  --json FILE    write the whole result there, too
  --publish      write what README and docs show: docs/benchmarks.md, docs/benchmarks.svg, and the section of README.md
  --from FILE    publish this result of an earlier run, and measure nothing; may be repeated: later ones replace earlier ones
  --rehearse     start every contestant and look at one answer of it, without a load
  --list         list the scenarios and their contestants
`;

export interface Options {
  readonly scenarios: readonly string[];
  readonly runs: number;
  readonly seconds: number;
  readonly json: string | null;
  readonly publish: boolean;
  readonly from: readonly string[];
  readonly rehearse: boolean;
  readonly list: boolean;
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} wants a whole number of at least 1`);
  return value;
}

/** Throws with a message for the user. `known` are the names of the scenarios. */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      publish: { type: 'boolean', default: false },
      from: { type: 'string', multiple: true, default: [] },
      rehearse: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}`);
  return {
    scenarios: positionals.length > 0 ? positionals : known,
    runs: positive('runs', values.runs, DEFAULT_RUNS),
    seconds: positive('seconds', values.seconds, DEFAULT_SECONDS),
    json: values.json ?? null,
    publish: values.publish,
    from: values.from,
    rehearse: values.rehearse,
    list: values.list,
  };
}
