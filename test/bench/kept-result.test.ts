// What a run of the benchmarks leaves, also one that is cut short. With contestants that answer at once.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chooseCores } from '../../bench/harness/cores.ts';
import { measureScenarios } from '../../bench/measure-scenarios.ts';
import type { Contestant, Scenario } from '../../bench/harness/scenario.ts';
import { keepResult } from '../../bench/report/keep-result.ts';
import { measuringCommand, parseResult } from '../../bench/report/result-file.ts';
import { temporaryDirectory } from '../database/support/embedded.ts';

function scenario(name: string, run: Contestant['run']): Scenario {
  const contestants = ['howdah', 'peer'].map((each) => ({ name: each, version: `${each} 1`, run }));
  const title = `The ${name}`;
  return { name, title, unit: 'requests/s', faster: 'higher', subject: 'howdah', contestants, targets: [] };
}

const answering = (name: string): Scenario =>
  scenario(name, () =>
    Promise.resolve({
      kind: 'counted',
      value: 7,
      p50Us: null,
      p99Us: null,
      cpuUs: 1,
      othersShare: 0,
      remark: null,
    }),
  );

describe('the result of a run of the benchmarks', () => {
  it('is written after each scenario: one that is cut short leaves what it has measured', async () => {
    const directory = temporaryDirectory();
    const json = join(directory.path, 'mine.json');
    const kept = (): string[] =>
      parseResult(json, readFileSync(json, 'utf8')).scenarios.map(({ name }) => name);
    const cut = scenario('three', () => {
      assert.deepEqual(kept(), ['one', 'two']);
      return Promise.reject(new Error('cut short'));
    });
    const seen: string[][] = [];
    const measuring = measureScenarios(
      [answering('one'), answering('two'), cut],
      ['one', 'two', 'three', 'four'],
      { runs: 1, seconds: 2 },
      chooseCores(),
      {
        ran: () => undefined,
        async measured(soFar) {
          await keepResult({ directory: join(directory.path, 'results'), json }, soFar);
          seen.push(kept());
        },
      },
    );
    await assert.rejects(measuring, /cut short/);
    assert.deepEqual(seen, [['one'], ['one', 'two']]);
    const files = readdirSync(join(directory.path, 'results'));
    assert.deepEqual(files.map((name) => name.replace(/^.*Z/, '')).sort(), ['.json', '.md', '.svg']);
    const markdown = files.find((name) => name.endsWith('.md')) ?? '';
    assert.match(
      readFileSync(join(directory.path, 'results', markdown), 'utf8'),
      /The one[^]*The two[^]*1 interleaved/,
    );
    const { command } = parseResult(json, readFileSync(json, 'utf8'));
    assert.equal(command, 'npm run bench -- one two --runs 1 --seconds 2');
    directory.remove();
  });

  it('has the command that measures the same again, and no path in it', () => {
    assert.equal(
      measuringCommand(['one', 'two'], ['one', 'two'], 5, 3),
      'npm run bench -- --runs 5 --seconds 3',
    );
    for (const json of ['--json /home/me/run.json', '--json=/home/me/run.json']) {
      const text = JSON.stringify({
        command: `npm run bench -- one --runs 5 ${json} --publish`,
        scenarios: [],
      });
      assert.equal(parseResult('old', text).command, 'npm run bench -- one --runs 5 --publish');
    }
  });
});
