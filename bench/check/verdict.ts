// Whether one checkout is slower than another, from the runs of both: a ratio of each round, and how far it lies from 1 beyond
// what the rounds differ by. Runs nothing.
import type { RunResult } from '../harness/scenario.ts';
import { spread } from '../harness/statistics.ts';
import type { Spread } from '../harness/statistics.ts';

/** Both checkouts once, in either order. */
export interface Round {
  readonly before: RunResult;
  readonly now: RunResult;
}

export type Verdict = 'slower' | 'faster' | 'the same within its spread' | 'not comparable';

export interface Comparison {
  readonly verdict: Verdict;
  /** How many times as fast it is now, by round; null where no round has two runs that count. */
  readonly ratio: Spread | null;
  /** The same of CPU time: how many times as little of it one operation needs now. */
  readonly cpuRatio: Spread | null;
  readonly notes: readonly string[];
}

/** A change below this is not looked for: it takes more rounds than anybody waits for. */
const LEAST_CHANGE = 0.02;

function ratios(rounds: readonly Round[], of: (before: number, now: number) => number, cpu: boolean) {
  return spread(
    rounds.flatMap(({ before, now }) => {
      if (before.kind !== 'counted' || now.kind !== 'counted') return [];
      const [old, own] = cpu ? [before.cpuUs, now.cpuUs] : [before.value, now.value];
      return old === null || own === null || old === 0 || own === 0 ? [] : [of(old, own)];
    }),
  );
}

/** A difference counts where the median goes beyond what is looked for, and all rounds agree on its direction. */
function judge(ratio: Spread | null): Verdict {
  if (ratio === null) return 'not comparable';
  if (ratio.median < 1 - LEAST_CHANGE && ratio.max < 1) return 'slower';
  if (ratio.median > 1 + LEAST_CHANGE && ratio.min > 1) return 'faster';
  return 'the same within its spread';
}

export function compareRounds(rounds: readonly Round[], faster: 'higher' | 'lower'): Comparison {
  const gain = (before: number, now: number): number => (faster === 'higher' ? now / before : before / now);
  const ratio = ratios(rounds, gain, false);
  const notes = rounds.flatMap(({ before, now }, index) =>
    (
      [
        ['before', before],
        ['now', now],
      ] as const
    ).flatMap(([which, run]) =>
      run.kind === 'discounted' ? [`${which}, run ${index + 1} does not count: ${run.reason}`] : [],
    ),
  );
  const cpuRatio = ratios(rounds, (before, now) => before / now, true);
  return { verdict: judge(ratio), ratio, cpuRatio, notes };
}

function cell(ratio: Spread | null): string {
  if (ratio === null) return '–';
  return `${ratio.median.toFixed(3)} (${ratio.min.toFixed(3)}–${ratio.max.toFixed(3)})`;
}

export interface NamedComparison extends Comparison {
  readonly name: string;
}

/** The comparisons as a Markdown table, with the notes below. */
export function renderComparisons(revision: string, comparisons: readonly NamedComparison[]): string {
  const notes = comparisons.flatMap((each) => each.notes.map((note) => `- ${each.name}, ${note}`));
  return [
    `| scenario | now is × as fast as ${revision} (min–max) | × as little CPU time (min–max) | verdict |`,
    '| --- | ---: | ---: | --- |',
    ...comparisons.map(({ name, ratio, cpuRatio, verdict }) => {
      const bold = verdict === 'slower' ? '**slower**' : verdict;
      return `| ${name} | ${cell(ratio)} | ${cell(cpuRatio)} | ${bold} |`;
    }),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}
