// When one checkout counts as slower than another: on made-up runs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareRounds, renderComparisons } from '../../bench/check/verdict.ts';
import type { Round } from '../../bench/check/verdict.ts';
import { relocated } from '../../bench/harness/served-contestant.ts';
import { benchFile } from '../../bench/scenarios/commands.ts';
import type { RunResult } from '../../bench/harness/scenario.ts';

const run = (value: number, cpuUs: number | null = null): RunResult => ({
  kind: 'counted',
  value,
  p50Us: null,
  p99Us: null,
  cpuUs,
  othersShare: null,
  remark: null,
});

const rounds = (...values: readonly (readonly [before: number, now: number])[]): Round[] =>
  values.map(([before, now]) => ({ before: run(before), now: run(now) }));

describe('a scenario is', () => {
  it('slower where every round says so and the median by more than is looked for', () => {
    const slower = compareRounds(rounds([100, 90], [200, 198], [100, 95]), 'higher');
    assert.equal(slower.verdict, 'slower');
    assert.deepEqual(slower.ratio, { median: 0.95, min: 0.9, max: 0.99 });
  });

  it('the same where one round says otherwise, or the difference is small', () => {
    const same = 'the same within its spread';
    assert.equal(compareRounds(rounds([100, 90], [100, 101], [100, 80]), 'higher').verdict, same);
    assert.equal(compareRounds(rounds([100, 99], [100, 98.5], [100, 99]), 'higher').verdict, same);
    assert.equal(compareRounds(rounds([100, 104], [100, 99], [100, 103]), 'higher').verdict, same);
  });

  it('faster where every round says so', () => {
    assert.equal(compareRounds(rounds([100, 110], [100, 103]), 'higher').verdict, 'faster');
  });

  it('judged the other way round where less is better', () => {
    assert.equal(compareRounds(rounds([100, 90], [100, 80]), 'lower').verdict, 'faster');
    assert.equal(compareRounds(rounds([100, 120], [100, 110]), 'lower').verdict, 'slower');
  });

  it('not comparable where no round has two runs that count, and the reason is told', () => {
    const lost: RunResult = { kind: 'discounted', reason: 'status 404 instead of 200' };
    const result = compareRounds([{ before: lost, now: run(1) }], 'higher');
    assert.equal(result.verdict, 'not comparable');
    assert.deepEqual(result.notes, ['before, run 1 does not count: status 404 instead of 200']);
  });
});

describe('the comparison', () => {
  it('is a table with CPU time beside speed, and the notes below', () => {
    const measured = [{ before: run(100, 12), now: run(80, 16) }];
    const text = renderComparisons('abc', [{ name: 'one', ...compareRounds(measured, 'higher') }]);
    assert.match(text, /\| one \| 0\.800 \(0\.800–0\.800\) \| 0\.750 \(0\.750–0\.750\) \| \*\*slower\*\* \|/);
  });

  it('runs the files of the other checkout, with the packages of this one', () => {
    const command = ['/x/node_modules/node/bin/node', benchFile('servers/node-http.ts'), '--listen', '/'];
    assert.deepEqual(relocated(command, '/other'), [
      '/x/node_modules/node/bin/node',
      '/other/bench/servers/node-http.ts',
      '--listen',
      '/',
    ]);
    assert.deepEqual(relocated(command, undefined), command);
  });
});
