// What results become: the document, the section of the README, the plot. On made-up results.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { README_BEGIN, README_END } from '../../bench/report/document.ts';
import { renderDocument, renderReadmeSection, replaceSection } from '../../bench/report/document.ts';
import { latestScenarios, parseResult } from '../../bench/report/result-file.ts';
import type { BenchmarkResult, ScenarioResult } from '../../bench/report/result-file.ts';
import { renderPlot, shortNumber } from '../../bench/report/svg-plot.ts';
import { summarize } from '../../bench/harness/summary.ts';
import type { RunResult, Scenario } from '../../bench/harness/scenario.ts';

const counted = (value: number): RunResult => ({
  kind: 'counted',
  value,
  p50Us: null,
  p99Us: null,
  cpuUs: 10,
  othersShare: 0,
  remark: null,
});

function made(name: string, peer: readonly number[], own: readonly number[]): ScenarioResult {
  const contestants = [
    { name: 'a & b', version: 'peer 1', runs: peer.map(counted) },
    { name: 'howdah', version: 'howdah 0', runs: own.map(counted) },
  ];
  const scenario: Scenario = {
    name,
    title: `The ${name}`,
    unit: 'requests/s',
    faster: 'higher',
    subject: 'howdah',
    contestants: [],
    targets: [{ against: 'a & b', atLeast: 2 }],
  };
  const { title, unit, faster, subject } = scenario;
  const summary = summarize({ scenario, contestants });
  const startedAt = '2030-01-02T03:04:05.678Z';
  return { name, title, unit, faster, subject, startedAt, runs: 2, seconds: 3, summary, contestants };
}

function result(command: string, ...scenarios: readonly ScenarioResult[]): BenchmarkResult {
  const machine = {
    cpu: 'CPU',
    cores: 2,
    memoryBytes: 1,
    kernel: 'linux',
    node: '24',
    loadGenerator: 'wrk 4',
    serverCore: 0,
    loadCore: 1,
    loadBefore: 0,
  };
  return { command, machine, warning: null, scenarios };
}

const first = result('npm run bench -- one two', made('one', [100, 100], [150, 170]), made('two', [9], [9]));
const second = result('npm run bench -- one', made('one', [100, 100], [210, 250]));

describe('results of several runs', () => {
  it('are shown in the order of the scenarios, the last of each', () => {
    const scenarios = latestScenarios([first, second], ['two', 'three', 'one']);
    assert.deepEqual(
      scenarios.map(({ name, summary }) => [name, summary[1]?.value?.median]),
      [
        ['two', 9],
        ['one', 230],
      ],
    );
  });

  it('are refused where they are something else', () => {
    assert.throws(() => parseResult('x.json', '{"a":1}'), /x\.json is no result of the benchmarks/);
    assert.throws(() => parseResult('x.json', 'null'), /x\.json is no result/);
    assert.equal(parseResult('x.json', JSON.stringify(first)).scenarios.length, 2);
  });
});

describe('the document', () => {
  const text = renderDocument([first, second], latestScenarios([first, second], ['one', 'two']));

  it('states each target with what was reached', () => {
    assert.match(text, /\| one \| a & b \| ≥ 2 \| 2\.30 \(2\.10–2\.50\) \| 1\.00 \(1\.00–1\.00\) \| met \|/);
    assert.match(
      text,
      /\| two \| a & b \| ≥ 2 \| 1\.00 \(1\.00–1\.00\) \| 1\.00 \(1\.00–1\.00\) \| \*\*missed\*\* \|/,
    );
  });

  it('has each table with when and how it was measured, the machine, the versions and the commands', () => {
    assert.match(text, /### one: The one/);
    assert.match(text, /Measured 2030-01-02, 2 interleaved runs of 3 s\./);
    assert.match(text, /- CPU, 2 cores/);
    assert.match(text, /- a & b: peer 1/);
    assert.match(text, /npm run bench -- one two\nnpm run bench -- one\n/);
  });
});

describe('the section of the README', () => {
  it('has a line for each scenario and replaces what was between its marks', () => {
    const section = renderReadmeSection([second], second.scenarios);
    assert.match(section, /\| The one \| 230 requests\/s \| 2\.30 \(1\.00\) × a & b \|/);
    const readme = `before\n${README_BEGIN}\nold\n${README_END}\nafter\n`;
    assert.equal(replaceSection(readme, section), `before\n${section}\nafter\n`);
    assert.equal(replaceSection(replaceSection(readme, section), section), `before\n${section}\nafter\n`);
  });

  it('is refused where the README has no marks', () => {
    assert.throws(() => replaceSection('nothing', 'x'), /no marks/);
  });
});

describe('the plot', () => {
  const plot = renderPlot([made('one', [100, 50, 60], [120, 120, 120])]);

  it('has a bar for each contestant, in proportion, and its spread as a line', () => {
    const widths = [...plot.matchAll(/<rect class="(.*?)" .*?width="([\d.]+)"/g)].map(([, kind, width]) => [
      kind,
      Number(width),
    ]);
    assert.deepEqual(widths, [
      ['bar', 102.5],
      ['bar subject', 205],
    ]);
    assert.match(plot, /<line class="spread" x1="250\.4" x2="335\.8"/);
  });

  it('is XML: what is not text is escaped, and every group is closed', () => {
    assert.match(plot, />a &amp; b</);
    assert.equal(plot.split('<g ').length, plot.split('</g>').length);
  });

  it('says where no run counts', () => {
    assert.match(renderPlot([made('one', [], [1])]), />no run counts</);
  });

  it('writes figures short', () => {
    assert.deepEqual([3.14159, 0.5, 123.4, 9994, 12_345, 439_449, 1_234_567].map(shortNumber), [
      '3.14',
      '0.5',
      '123',
      '9994',
      '12.3k',
      '439k',
      '1.23M',
    ]);
  });
});
