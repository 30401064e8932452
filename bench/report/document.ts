// docs/benchmarks.md, and the part of README.md between its marks: what results say, as Markdown.
import { renderMachines } from '../harness/machine.ts';
import { renderRatioTable } from '../harness/ratio-table.ts';
import type { Spread } from '../harness/statistics.ts';
import type { ContestantSummary } from '../harness/summary.ts';
import type { BenchmarkResult, ScenarioResult } from './result-file.ts';

export const README_BEGIN = '<!-- benchmarks: what follows is made by `npm run bench -- --publish` -->';
export const README_END = '<!-- end of benchmarks -->';
/** Below the least, every digit would say something that a run does not. */
const DIGITS = 2;

function ratioText(each: ContestantSummary): string {
  return each.subjectRatio === null ? 'not measured' : each.subjectRatio.median.toFixed(DIGITS);
}

function rangeText(ratio: Spread | null): string {
  if (ratio === null) return '–';
  const [median, min, max] = [ratio.median, ratio.min, ratio.max].map((each) => each.toFixed(DIGITS));
  return `${median} (${min}–${max})`;
}

function targetRows(result: ScenarioResult): string[] {
  return result.summary.flatMap(({ name, target, subjectRatio, cpuRatio }) => {
    if (target === null) return [];
    const { atLeast, met, by } = target;
    const verdict =
      met === null ? 'not measured' : `${met ? 'met' : '**missed**'}${by === 'speed' ? '' : ' by CPU time'}`;
    const cells = [result.name, name, `≥ ${atLeast}`, rangeText(subjectRatio), rangeText(cpuRatio), verdict];
    return [`| ${cells.join(' | ')} |`];
  });
}

function versions(scenarios: readonly ScenarioResult[]): string[] {
  const names = new Map<string, Set<string>>();
  for (const { summary } of scenarios) {
    for (const { name, version } of summary) {
      names.set(version, (names.get(version) ?? new Set()).add(name));
    }
  }
  return [...names].map(([version, of]) => `- ${[...of].join(', ')}: ${version}`);
}

/** `scenarios` are those of the results that are shown. */
export function renderDocument(
  results: readonly BenchmarkResult[],
  scenarios: readonly ScenarioResult[],
): string {
  const commands = [...new Set(results.map(({ command }) => command))];
  const tables = scenarios.map((result) => {
    const measured = `Measured ${result.startedAt.slice(0, 10)}, ${result.runs} interleaved runs of ${result.seconds} s.`;
    return `${renderRatioTable(result, result.summary)}\n${measured}\n`;
  });
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench -- --publish`: do not edit it by hand. How it is measured, what the columns mean and what each',
    'contestant is, says [bench/README.md](../bench/README.md); where the time goes, and why a target is missed,',
    '[performance.md](performance.md).',
    '',
    '![Benchmarks](benchmarks.svg)',
    '',
    '## Targets',
    '',
    'How many times as fast howdah is to be as another, and is: the median of the ratios within each round of runs, with the',
    'least and the greatest; and the same of CPU time, which others on the machine disturb less. Where they had more than a',
    'tenth of the server’s core, a target is judged by CPU time.',
    '',
    '| scenario | against | target | by speed | by CPU time | |',
    '| --- | --- | ---: | ---: | ---: | --- |',
    ...scenarios.flatMap(targetRows),
    '',
    '## Results',
    '',
    ...tables,
    '## Measured on and with',
    '',
    ...renderMachines(results).map((machine) => `- ${machine}`),
    ...versions(scenarios),
    '',
    '<!-- not run: it takes from minutes to an hour, and its figures are those of the machine -->',
    '',
    '```sh',
    ...commands,
    '```',
    '',
  ].join('\n');
}

/** The scenarios of README.md, one in a line, and the plot. */
export function renderReadmeSection(
  results: readonly BenchmarkResult[],
  scenarios: readonly ScenarioResult[],
): string {
  const rows = scenarios.map((result) => {
    const own = result.summary.find(({ name }) => name === result.subject);
    const value =
      own === undefined || own.value === null
        ? '–'
        : Math.round(own.value.median).toLocaleString('en').replaceAll(',', '\u202f');
    const others = result.summary
      .filter(({ name, subjectRatio }) => name !== result.subject && subjectRatio !== null)
      .map((each) => {
        const cpu = each.cpuRatio === null ? '' : ` (${each.cpuRatio.median.toFixed(DIGITS)})`;
        return `${ratioText(each)}${cpu} × ${each.name}`;
      });
    return `| ${result.title} | ${value} ${result.unit} | ${others.join(', ')} |`;
  });
  return [
    README_BEGIN,
    '',
    '| | howdah | how many times as fast as (by CPU time) |',
    '| --- | ---: | --- |',
    ...rows,
    '',
    '![The same as bars](docs/benchmarks.svg)',
    '',
    ...renderMachines(results).flatMap((machine) => [machine, '']),
    README_END,
  ].join('\n');
}

/** The README with another section between its marks; throws where they are not there. */
export function replaceSection(readme: string, section: string): string {
  const begin = readme.indexOf(README_BEGIN);
  const end = readme.indexOf(README_END);
  if (begin < 0 || end < begin) throw new Error('README.md has no marks for the benchmarks');
  return readme.slice(0, begin) + section + readme.slice(end + README_END.length);
}
