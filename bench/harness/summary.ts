// What the runs of a scenario come to: medians, and how many times as fast the subject is as each of the others.
import { MOST_OTHERS } from './core-watch.ts';
import type { ContestantRuns, ScenarioRuns } from './interleave.ts';
import type { CountedRun, CpuSplit, Target } from './scenario.ts';
import { median, spread } from './statistics.ts';
import type { Spread } from './statistics.ts';

export interface Judgement {
  readonly atLeast: number;
  readonly met: boolean | null;
  /** Of CPU time where others disturbed the runs of either and it is known: it tells more of the two then. */
  readonly by: 'speed' | 'CPU time';
}

export interface ContestantSummary {
  readonly name: string;
  readonly version: string;
  readonly counted: number;
  readonly runs: number;
  /** Null where no run counted; so are the others. */
  readonly value: Spread | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly cpuUs: number | null;
  /** Medians of its parts, each by itself; null where no run has them. */
  readonly cpuSplit: CpuSplit | null;
  readonly offered: number | null;
  readonly othersShare: number | null;
  /** How many times as fast the subject was, round by round; null for the subject itself and where no round had both. */
  readonly subjectRatio: Spread | null;
  /** How many times the subject's CPU time per operation this one needed; null as above. */
  readonly cpuRatio: Spread | null;
  readonly target: Judgement | null;
  /** Why runs do not count and what is to be known about others, each with its round. */
  readonly notes: readonly string[];
}

function counted(runs: ContestantRuns): CountedRun[] {
  return runs.runs.filter((run) => run.kind === 'counted');
}

function medianOf(
  runs: readonly CountedRun[],
  value: (run: CountedRun) => number | null | undefined,
): number | null {
  return median(runs.map(value).filter((each) => each !== null && each !== undefined));
}

function splitOf(runs: readonly CountedRun[]): CpuSplit | null {
  const databaseUs = medianOf(runs, ({ cpuSplit }) => cpuSplit?.databaseUs);
  if (databaseUs === null) return null;
  return {
    ownUs: medianOf(runs, ({ cpuSplit }) => cpuSplit?.ownUs),
    databaseUs,
    loadUs: medianOf(runs, ({ cpuSplit }) => cpuSplit?.loadUs),
  };
}

/** What one is against the other in the rounds where both count and have that figure. */
function ratios(
  subject: ContestantRuns | undefined,
  against: ContestantRuns,
  compare: (own: CountedRun, other: CountedRun) => number | null,
): Spread | null {
  if (subject === undefined || subject.name === against.name) return null;
  return spread(
    subject.runs.flatMap((own, round) => {
      const other = against.runs[round];
      if (own.kind !== 'counted' || other?.kind !== 'counted') return [];
      const ratio = compare(own, other);
      return ratio === null ? [] : [ratio];
    }),
  );
}

function notes({ name, runs }: ContestantRuns): string[] {
  return runs.flatMap((run, index) => {
    const where = `${name}, run ${index + 1}`;
    if (run.kind === 'discounted') return [`${where} does not count: ${run.reason}`];
    return run.remark === null ? [] : [`${where}: ${run.remark}`];
  });
}

/** @param cpuTime null where CPU time is no measure of what the scenario is about, or not known */
function judge(
  target: Target | undefined,
  speed: Spread | null,
  cpuTime: Spread | null,
  others: number,
): Judgement | null {
  if (target === undefined) return null;
  const by = cpuTime !== null && others > MOST_OTHERS ? 'CPU time' : 'speed';
  const ratio = by === 'speed' ? speed : cpuTime;
  return { atLeast: target.atLeast, met: ratio === null ? null : ratio.median >= target.atLeast, by };
}

export function summarize({ scenario, contestants }: ScenarioRuns): ContestantSummary[] {
  const subject = contestants.find(({ name }) => name === scenario.subject);
  const othersOf = (each: ContestantRuns | undefined): number =>
    each === undefined ? 0 : (medianOf(counted(each), ({ othersShare }) => othersShare) ?? 0);
  return contestants.map((contestant) => {
    const good = counted(contestant);
    const cpuRatio = ratios(subject, contestant, (own, other) =>
      own.cpuUs === null || other.cpuUs === null ? null : other.cpuUs / own.cpuUs,
    );
    const subjectRatio = ratios(subject, contestant, (own, other) =>
      scenario.faster === 'higher' ? own.value / other.value : other.value / own.value,
    );
    const target = scenario.targets.find(({ against }) => against === contestant.name);
    return {
      name: contestant.name,
      version: contestant.version,
      counted: good.length,
      runs: contestant.runs.length,
      value: spread(good.map(({ value }) => value)),
      p50Us: medianOf(good, ({ p50Us }) => p50Us),
      p99Us: medianOf(good, ({ p99Us }) => p99Us),
      cpuUs: medianOf(good, ({ cpuUs }) => cpuUs),
      cpuSplit: splitOf(good),
      offered: medianOf(good, ({ offered }) => offered),
      othersShare: medianOf(good, ({ othersShare }) => othersShare),
      subjectRatio,
      cpuRatio,
      // Of latencies and sizes it tells nothing.
      target: judge(
        target,
        subjectRatio,
        scenario.faster === 'higher' ? cpuRatio : null,
        Math.max(othersOf(subject), othersOf(contestant)),
      ),
      notes: notes(contestant),
    };
  });
}
