// From runs to the table: what counts, which runs a ratio is taken between, and what the table says of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInterleaved } from '../../bench/harness/interleave.ts';
import type { ScenarioRuns } from '../../bench/harness/interleave.ts';
import { renderRatioTable } from '../../bench/harness/ratio-table.ts';
import type { CountedRun, RunResult, Scenario } from '../../bench/harness/scenario.ts';
import { summarize } from '../../bench/harness/summary.ts';
import type { ContestantSummary } from '../../bench/harness/summary.ts';

const counted = (value: number, cpuUs = 20.04): RunResult => ({
  kind: 'counted',
  value,
  p50Us: 1200,
  p99Us: 3450,
  cpuUs,
  othersShare: 0.034,
  remark: null,
});
const discounted = (reason: string): RunResult => ({ kind: 'discounted', reason });

const scenario: Scenario = {
  name: 'sample',
  title: 'A sample',
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  contestants: [],
  targets: [{ against: 'peer', atLeast: 1.5 }],
};

function runs(peer: readonly RunResult[], howdah: readonly RunResult[], more = scenario): ScenarioRuns {
  return {
    scenario: more,
    contestants: [
      { name: 'peer', version: 'peer 1', runs: peer },
      { name: 'howdah', version: 'howdah 0', runs: howdah },
    ],
  };
}

function summaryOf(name: string, measured: ScenarioRuns): ContestantSummary {
  const found = summarize(measured).find((each) => each.name === name);
  assert.ok(found !== undefined);
  return found;
}

describe('the summary', () => {
  it('a ratio is taken round by round, and its median is not the ratio of the medians', () => {
    const measured = runs(
      [counted(100), counted(200), counted(1000)],
      [counted(200), counted(240), counted(2200)],
    );
    const { subjectRatio, value, target } = summaryOf('peer', measured);
    assert.deepEqual(subjectRatio, { median: 2, min: 1.2, max: 2.2 });
    assert.deepEqual(value, { median: 200, min: 100, max: 1000 });
    assert.deepEqual(target, { atLeast: 1.5, met: true, by: 'speed' });
  });

  it('where less is faster the ratio is turned round', () => {
    const times: Scenario = { ...scenario, unit: 'ms', faster: 'lower' };
    const { subjectRatio } = summaryOf('peer', runs([counted(600)], [counted(200)], times));
    assert.equal(subjectRatio?.median, 3);
  });

  it('a run that does not count is in no median, and its round in no ratio', () => {
    const measured = runs(
      [counted(100), discounted('5 read errors'), counted(300)],
      [counted(200), counted(9000), discounted('wrong body')],
    );
    const peer = summaryOf('peer', measured);
    assert.equal(peer.counted, 2);
    assert.equal(peer.value?.median, 200);
    assert.deepEqual(peer.subjectRatio, { median: 2, min: 2, max: 2 });
    assert.deepEqual(peer.notes, ['peer, run 2 does not count: 5 read errors']);
    assert.deepEqual(summaryOf('howdah', measured).notes, ['howdah, run 3 does not count: wrong body']);
  });

  it('a target that no round can tell is neither met nor missed', () => {
    const { target, subjectRatio } = summaryOf('peer', runs([counted(1)], [discounted('crash')]));
    assert.equal(subjectRatio, null);
    assert.deepEqual(target, { atLeast: 1.5, met: null, by: 'speed' });
  });

  it('CPU time is compared round by round, too', () => {
    const { cpuRatio } = summaryOf(
      'peer',
      runs([counted(1, 60), counted(1, 50)], [counted(1, 20), counted(1, 25)]),
    );
    assert.deepEqual(cpuRatio, { median: 2.5, min: 2, max: 3 });
  });

  it('the subject has no ratio to itself', () => {
    assert.equal(summaryOf('howdah', runs([counted(1)], [counted(2)])).subjectRatio, null);
  });
});

describe('the table', () => {
  const table = (measured: ScenarioRuns): string =>
    renderRatioTable(measured.scenario, summarize(measured)).replaceAll('\u202f', ' ');

  it('shows medians, spreads, the ratio, the target, latency, CPU time and the number of runs', () => {
    assert.equal(
      table(runs([counted(10_000), counted(12_000)], [counted(20_000), counted(1_224_000)])),
      `### sample: A sample

|  | requests/s (min–max) | howdah is × as fast (min–max) | target | p50 ms | p99 ms | CPU µs each | × CPU of howdah (min–max) | others on its core | runs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| peer | 11 000 (10 000–12 000) | 52.00 (2.00–102.00) | ≥ 1.5 met | 1.20 | 3.45 | 20.0 | 1.00 (1.00–1.00) | 3 % | 2 |
| **howdah** | 622 000 (20 000–1 224 000) | – | – | 1.20 | 3.45 | 20.0 | – | 3 % | 2 |
`,
    );
  });

  it('shows below it whose the CPU time is, where a database has processes of its own', () => {
    const split = (ownUs: number | null, loadUs: number | null): RunResult => ({
      ...(counted(10_000) as CountedRun),
      cpuSplit: { ownUs, databaseUs: 8.04, loadUs },
    });
    assert.match(
      table(runs([split(null, 3)], [split(12, null), split(14, null)])),
      /\n\n\| CPU µs each \| server’s processes \| database’s processes \| load generator \|\n\| --- \| ---: \| ---: \| ---: \|\n\| peer \| – \| 8\.0 \| 3\.0 \|\n\| \*\*howdah\*\* \| 13\.0 \| 8\.0 \| – \|\n$/,
    );
    assert.doesNotMatch(table(runs([counted(1)], [counted(2)])), /processes/);
  });

  it('shows the rate that was asked for where there is one, and small figures with three digits', () => {
    const offered = (value: number, rate: number): RunResult => ({
      ...(counted(value) as CountedRun),
      offered: rate,
    });
    const times: Scenario = { ...scenario, unit: 'ms', faster: 'lower' };
    const text = table(runs([offered(2.345, 5000)], [offered(12.3456, 12_500)], times));
    assert.match(text, /\|  \| requests\/s offered \| ms \(min–max\) \|/);
    assert.match(text, /\| peer \| 5 000 \| 2\.35 \(2\.35–2\.35\) \|/);
    assert.match(text, /\| \*\*howdah\*\* \| 12 500 \| 12\.3 \(12\.3–12\.3\) \|/);
  });

  it('says which target is missed and why runs do not count', () => {
    const text = table(runs([counted(10_000), discounted('7 write errors')], [counted(9000), counted(9000)]));
    assert.match(text, /≥ 1\.5 \*\*missed\*\*/);
    assert.match(text, /\| 1 of 2 \|/);
    assert.match(text, /\n- peer, run 2 does not count: 7 write errors\n$/);
  });

  it('judges a target by CPU time where others disturbed the runs', () => {
    const disturbed = (value: number, cpuUs: number): RunResult => ({
      ...(counted(value, cpuUs) as CountedRun),
      othersShare: 0.4,
    });
    const text = table(runs([disturbed(10_000, 40)], [disturbed(9000, 20)]));
    assert.match(text, /\| 0\.90 \(0\.90–0\.90\) \| ≥ 1\.5 met by CPU time \|/);
    const times: Scenario = { ...scenario, unit: 'ms', faster: 'lower' };
    const slower = table(runs([disturbed(9000, 40)], [disturbed(10_000, 20)], times));
    assert.match(slower, /\| 0\.90 \(0\.90–0\.90\) \| ≥ 1\.5 \*\*missed\*\* \|/);
  });

  it('shows nothing where there is nothing', () => {
    const text = table(runs([discounted('no binary')], [counted(9000)]));
    assert.match(text, /\| peer \| – \| – \| ≥ 1\.5 not measured \| – \| – \| – \| – \| – \| 0 of 1 \|/);
  });

  it('has no latency and no CPU time where none was measured, and says of what a ratio is', () => {
    const memory: Scenario = { ...scenario, unit: 'bytes', faster: 'lower', better: 'as small', targets: [] };
    const bare = (value: number): RunResult => ({
      ...(counted(value) as CountedRun),
      p50Us: null,
      p99Us: null,
      cpuUs: null,
    });
    assert.match(
      table(runs([bare(500)], [bare(250)], memory)),
      /\| bytes \(min–max\) \| howdah is × as small \(min–max\) \| target \| others on its core \| runs \|[^]*2\.00/,
    );
  });
});

describe('the order of runs', () => {
  it('is every contestant in each round, and each run is reported as it ends', async () => {
    const order: string[] = [];
    const contestant = (name: string) => ({
      name,
      version: name,
      run: async () => {
        order.push(`run ${name}`);
        return counted(order.length);
      },
    });
    const plan = { seconds: 1, warmUpSeconds: 1, cores: { server: null, load: null, warning: null } };
    const measured = await runInterleaved(
      { ...scenario, contestants: [contestant('a'), contestant('b')] },
      plan,
      2,
      (round, name) => order.push(`${round} ${name}`),
    );
    assert.deepEqual(order, ['run a', '1 a', 'run b', '1 b', 'run a', '2 a', 'run b', '2 b']);
    assert.deepEqual(
      measured.contestants.map(({ runs: results }) => results.length),
      [2, 2],
    );
  });

  it('makes a run again that others have disturbed, and takes the least disturbed', async () => {
    const shares = [0.6, 0.3, 0.05, 0.5, 0.4, 0.7];
    let at = 0;
    const contestant = {
      name: 'a',
      version: 'a',
      run: async () => ({ ...(counted(at) as CountedRun), othersShare: shares[at++] ?? null }),
    };
    const plan = { seconds: 1, warmUpSeconds: 1, cores: { server: null, load: null, warning: null } };
    const { contestants } = await runInterleaved(
      { ...scenario, contestants: [contestant] },
      plan,
      2,
      () => undefined,
    );
    const found = contestants[0]?.runs.map((run) => (run.kind === 'counted' ? [run.value, run.remark] : []));
    assert.deepEqual(found, [
      [1, 'others had 30 % of its core'],
      [2, null],
    ]);
  });
});
