// Writes what README and docs show of the benchmarks. What it says is document.ts's.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { renderDocument, renderReadmeSection, replaceSection } from './document.ts';
import { latestScenarios } from './result-file.ts';
import type { BenchmarkResult } from './result-file.ts';
import { renderPlot } from './svg-plot.ts';

/** Those that README shows, where they were measured. */
export const HEADLINES: readonly string[] = [
  'plain-http1',
  'pipelined-http1',
  'plain-http2',
  'plain-https-h2',
  'json-http1',
  'websocket-echo',
  'sql-embedded',
  'sql-server',
];

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

async function writeMarkdown(name: string, text: string): Promise<void> {
  const path = pathOf(name);
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), parser: 'markdown' }));
}

/** Writes docs/benchmarks.md, docs/benchmarks.svg and the section of README.md. `order` is that of the scenarios. */
export async function publish(results: readonly BenchmarkResult[], order: readonly string[]): Promise<void> {
  const all = latestScenarios(results, order);
  const headlines = latestScenarios(results, HEADLINES);
  await writeFile(pathOf('docs/benchmarks.svg'), renderPlot(headlines));
  await writeMarkdown('docs/benchmarks.md', renderDocument(results, all));
  const readme = await readFile(pathOf('README.md'), 'utf8');
  await writeMarkdown('README.md', replaceSection(readme, renderReadmeSection(results, headlines)));
}
