// The summary of a scenario as a Markdown table.
import type { Scenario } from './scenario.ts';
import type { Spread } from './statistics.ts';
import type { ContestantSummary } from './summary.ts';

const NOTHING = '–';

/** Below it a figure has three digits that say something, above it a whole number has more. */
const WHOLE_FROM = 100;
const LEAST_DIGITS = 3;

/** Thousands set apart by a narrow no-break space, as SI has it. */
function figure(value: number): string {
  if (value < WHOLE_FROM) return String(Number(value.toPrecision(LEAST_DIGITS)));
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, '\u202f');
}

function spreadCell(values: Spread | null, format: (value: number) => string): string {
  if (values === null) return NOTHING;
  return `${format(values.median)} (${format(values.min)}–${format(values.max)})`;
}

function ratioCell(values: Spread | null): string {
  return spreadCell(values, (value) => value.toFixed(2));
}

function targetCell(target: ContestantSummary['target']): string {
  if (target === null) return NOTHING;
  const verdict = target.met === null ? 'not measured' : target.met ? 'met' : '**missed**';
  return `≥ ${target.atLeast} ${verdict}${target.by === 'speed' ? '' : ' by CPU time'}`;
}

function latencyCell(us: number | null): string {
  return us === null ? NOTHING : (us / 1000).toFixed(2);
}

function shareCell(share: number | null): string {
  return share === null ? NOTHING : `${(share * 100).toFixed(0)} %`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function microsecondsCell(us: number | null | undefined): string {
  return us?.toFixed(1) ?? NOTHING;
}

/** Whose the CPU time is, where the database has processes of its own; nothing elsewhere. */
function splitTable(
  scenario: Pick<Scenario, 'subject'>,
  summaries: readonly ContestantSummary[],
): readonly string[] {
  if (summaries.every(({ cpuSplit }) => cpuSplit === null)) return [];
  const rows = summaries.map(({ name, cpuSplit }) => {
    const parts = [cpuSplit?.ownUs, cpuSplit?.databaseUs, cpuSplit?.loadUs].map(microsecondsCell);
    return row([name === scenario.subject ? `**${name}**` : name, ...parts]);
  });
  return [
    '',
    row(['CPU µs each', 'server’s processes', 'database’s processes', 'load generator']),
    row(['---', '---:', '---:', '---:']),
    ...rows,
  ];
}

/** The table, with its heading above it and the notes on its runs below. */
export function renderRatioTable(
  scenario: Pick<Scenario, 'name' | 'title' | 'unit' | 'subject' | 'better'>,
  summaries: readonly ContestantSummary[],
): string {
  const hasLatency = summaries.some(({ p99Us }) => p99Us !== null);
  const hasCpu = summaries.some(({ cpuUs }) => cpuUs !== null);
  const better = scenario.better ?? 'as fast';
  const isOffered = summaries.some(({ offered }) => offered !== null);
  const heads = ['', `${scenario.unit} (min–max)`, `${scenario.subject} is × ${better} (min–max)`, 'target'];
  if (isOffered) heads.splice(1, 0, 'requests/s offered');
  if (hasLatency) heads.push('p50 ms', 'p99 ms');
  if (hasCpu) heads.push('CPU µs each', `× CPU of ${scenario.subject} (min–max)`);
  heads.push('others on its core', 'runs');
  const rows = summaries.map((each) => {
    const name = each.name === scenario.subject ? `**${each.name}**` : each.name;
    const cells = [
      name,
      spreadCell(each.value, figure),
      ratioCell(each.subjectRatio),
      targetCell(each.target),
    ];
    if (isOffered) cells.splice(1, 0, each.offered === null ? NOTHING : figure(each.offered));
    if (hasLatency) cells.push(latencyCell(each.p50Us), latencyCell(each.p99Us));
    if (hasCpu) {
      cells.push(each.cpuUs?.toFixed(1) ?? NOTHING, ratioCell(each.cpuRatio));
    }
    const runs = each.counted === each.runs ? String(each.runs) : `${each.counted} of ${each.runs}`;
    return row([...cells, shareCell(each.othersShare), runs]);
  });
  const rule = row(heads.map((_, index) => (index === 0 ? '---' : '---:')));
  const remarks = summaries.flatMap(({ notes }) => notes.map((note) => `- ${note}`));
  return [
    `### ${scenario.name}: ${scenario.title}`,
    '',
    row(heads),
    rule,
    ...rows,
    ...splitTable(scenario, summaries),
    ...(remarks.length > 0 ? ['', ...remarks] : []),
    '',
  ].join('\n');
}
