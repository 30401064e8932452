// Writes the result of a run, as Markdown, JSON and SVG: again and again as it grows, such that each file is whole at all times.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderMachines } from '../harness/machine.ts';
import { renderRatioTable } from '../harness/ratio-table.ts';
import type { BenchmarkResult } from './result-file.ts';
import { renderPlot } from './svg-plot.ts';

export interface ResultPlace {
  readonly directory: string;
  /** A file that gets the JSON, too; null: none. */
  readonly json: string | null;
}

/** How it was measured, in a line. */
export function renderMeasuring(result: BenchmarkResult): string {
  const [first] = result.scenarios;
  const how = first === undefined ? [] : [`${first.runs} interleaved runs of ${first.seconds} s, medians.`];
  return [...how, ...renderMachines([result])].join(' ');
}

/** Returns the names of the files in the directory; they are those of the first scenario's start. */
export async function keepResult({ directory, json }: ResultPlace, result: BenchmarkResult): Promise<string> {
  const startedAt = result.scenarios[0]?.startedAt ?? '';
  const stem = join(directory, startedAt.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z'));
  const tables = result.scenarios.map((each) => renderRatioTable(each, each.summary));
  const text = JSON.stringify(result, null, 2);
  await mkdir(directory, { recursive: true });
  await replace(`${stem}.md`, `${tables.join('\n')}\n${renderMeasuring(result)}\n`);
  await replace(`${stem}.json`, text);
  await replace(`${stem}.svg`, renderPlot(result.scenarios));
  if (json !== null) await replace(json, text);
  return `${stem}.md, .json and .svg`;
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text);
  await rename(`${path}.next`, path);
}
