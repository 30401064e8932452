// docs/benchmarks.md, and the part of README.md between its marks: what results say, as Markdown.
import { renderMachine } from '../harness/machine.ts';
import { renderRatioTable } from '../harness/ratio-table.ts';
import type { ContestantSummary } from '../harness/summary.ts';
import type { BenchmarkResult, ScenarioResult } from './result-file.ts';

export const README_BEGIN = '<!-- benchmarks: what follows is made by `npm run bench -- --publish` -->';
export const README_END = '<!-- end of benchmarks -->';
/** Below the least, every digit would say something that a run does not. */
const DIGITS = 2;

function ratioText(each: ContestantSummary): string {
  return each.subjectRatio === null ? 'not measured' : each.subjectRatio.median.toFixed(DIGITS);
}

function targetRows(result: ScenarioResult): string[] {
  return result.summary.flatMap((each) => {
    if (each.target === null) return [];
    const { atLeast, met } = each.target;
    const range =
      each.subjectRatio === null
        ? ''
        : ` (${each.subjectRatio.min.toFixed(DIGITS)}–${each.subjectRatio.max.toFixed(DIGITS)})`;
    const verdict = met === null ? 'not measured' : met ? 'met' : '**missed**';
    return [`| ${result.name} | ${each.name} | ≥ ${atLeast} | ${ratioText(each)}${range} | ${verdict} |`];
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
  const machines = [...new Set(results.map(({ machine, warning }) => renderMachine(machine, warning)))];
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
    'least and the greatest.',
    '',
    '| scenario | against | target | reached | |',
    '| --- | --- | ---: | ---: | --- |',
    ...scenarios.flatMap(targetRows),
    '',
    '## Results',
    '',
    ...tables,
    '## Measured on and with',
    '',
    ...machines.map((machine) => `- ${machine}`),
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
      .map((each) => `${ratioText(each)} × ${each.name}`);
    return `| ${result.title} | ${value} ${result.unit} | ${others.join(', ')} |`;
  });
  const [machine] = results;
  return [
    README_BEGIN,
    '',
    '| | howdah | how many times as fast as |',
    '| --- | ---: | --- |',
    ...rows,
    '',
    '![The same as bars](docs/benchmarks.svg)',
    '',
    ...(machine === undefined ? [] : [renderMachine(machine.machine, machine.warning), '']),
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
