// The parts of the benchmark harness that compute: on recorded samples, without a server, and without a measured time.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { costOf, othersShare } from '../../bench/harness/core-watch.ts';
import { parseCpuList, pinned } from '../../bench/harness/cores.ts';
import { parseCoreTicks, parseCpuTicks, parseProcessName } from '../../bench/harness/cpu-time.ts';
import { parseLoopResult } from '../../bench/harness/loop-contestant.ts';
import { parseOptions } from '../../bench/harness/options.ts';
import { findFault, parseAnswer } from '../../bench/harness/probe.ts';
import { tellingLine } from '../../bench/harness/server-process.ts';
import { median, spread } from '../../bench/harness/statistics.ts';
import { findLoadErrors, findSizeFault, parseWrkSummary } from '../../bench/harness/wrk.ts';

describe('statistics', () => {
  it('the median is the middle value, and the mean of the two middle ones of an even number', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 100]), 3.5);
    assert.equal(median([7]), 7);
    assert.equal(median([]), null);
  });

  it('the median does not depend on the order and lies within the spread', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const found = spread(values);
        assert.ok(found !== null && found.min <= found.median && found.median <= found.max);
        assert.equal(median(values.toReversed()), found.median);
        const below = values.filter((value) => value < found.median).length;
        const above = values.filter((value) => value > found.median).length;
        assert.ok(below <= values.length / 2 && above <= values.length / 2);
      }),
    );
  });

  it('no values have no spread', () => {
    assert.equal(spread([]), null);
  });
});

const WRK_OUTPUT = `Running 2s test @ http://127.0.0.1:9871/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    14.07ms   40.26ms 404.99ms   94.66%
    Req/Sec    11.80k     4.77k   18.21k    65.00%
  23488 requests in 2.01s, 3.63MB read
Requests/sec:  11682.60
Transfer/sec:      1.80MB
wrk-summary {"requests":23488,"durationUs":2010512,"bytes":3805056,"connectErrors":0,"readErrors":0,"writeErrors":0,"timeouts":0,"badStatuses":0,"p50Us":4120,"p99Us":241284,"maxUs":404986}
`;

describe('wrk', () => {
  const good = parseWrkSummary(WRK_OUTPUT);

  it('the summary is found below the text that wrk prints', () => {
    assert.equal(good.requests, 23_488);
    assert.equal(good.durationUs, 2_010_512);
    assert.equal(good.p99Us, 241_284);
  });

  it('output without a summary is an error that says what wrk said', () => {
    const output = 'unable to connect to 127.0.0.1:1 Connection refused\n';
    assert.throws(() => parseWrkSummary(output), /no summary: unable to connect to 127\.0\.0\.1:1/);
  });

  it('a summary without errors has no fault', () => {
    assert.equal(findLoadErrors(good), null);
  });

  it('each kind of error by itself is a fault, with its count', () => {
    const kinds = ['connectErrors', 'readErrors', 'writeErrors', 'timeouts', 'badStatuses'] as const;
    for (const kind of kinds) {
      assert.match(findLoadErrors({ ...good, [kind]: 3 }) ?? '', /^3 \w/, kind);
    }
    assert.equal(
      findLoadErrors({ ...good, readErrors: 1, badStatuses: 2 }),
      '1 read errors, 2 responses with a status of 400 or more',
    );
  });

  it('a run in which nothing was answered has a fault', () => {
    assert.equal(findLoadErrors({ ...good, requests: 0 }), 'no request was answered');
  });

  it('responses of another size than the probe found have a fault', () => {
    assert.equal(findSizeFault(good, 64, 162), null);
    assert.match(findSizeFault(good, 64, 150) ?? '', /162\.0 bytes on average, the probe's 150/);
    // One response in flight per connection is no fault, however few were complete.
    assert.equal(findSizeFault({ ...good, requests: 10, bytes: 74 * 162 }, 64, 162), null);
    assert.notEqual(findSizeFault({ ...good, requests: 10, bytes: 75 * 162 }, 64, 162), null);
  });
});

describe('the probe', () => {
  const whole = Buffer.from(
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhallo',
    'latin1',
  );
  const expected = { status: 200, body: 'hallo', fields: { 'content-type': /^text\/plain/ } };

  it('an answer is complete with its last byte and not before', () => {
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parseAnswer(whole.subarray(0, length)), null);
    }
    const answer = parseAnswer(whole);
    assert.ok(answer !== null);
    assert.equal(answer.bytes, whole.length);
    assert.equal(findFault(answer, expected), null);
  });

  it('another status, another body, a field that is missing or has another value are faults', () => {
    const answer = parseAnswer(whole);
    assert.ok(answer !== null);
    assert.match(findFault(answer, { ...expected, status: 204 }) ?? '', /status 200 instead of 204/);
    assert.match(findFault(answer, { ...expected, body: 'hall' }) ?? '', /wrong body/);
    assert.match(findFault(answer, { ...expected, body: /^h$/ }) ?? '', /wrong body/);
    assert.match(findFault(answer, { ...expected, fields: { date: /GMT$/ } }) ?? '', /no date field/);
    assert.match(
      findFault(answer, { ...expected, fields: { 'content-type': /html/ } }) ?? '',
      /content-type is "text\/plain"/,
    );
  });

  it('bytes after the answer and an answer without a length are errors', () => {
    assert.throws(() => parseAnswer(Buffer.concat([whole, Buffer.from('x')])), /bytes after/);
    assert.throws(() => parseAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), /no content-length/);
  });
});

describe('what the kernel and the contestants print', () => {
  it('a list of cores with ranges is read', () => {
    assert.deepEqual(parseCpuList('0-2,5,8-9\n'), [0, 1, 2, 5, 8, 9]);
    assert.deepEqual(parseCpuList('3'), [3]);
    assert.deepEqual(parseCpuList(''), []);
  });

  it('a command is pinned to a core where there is one', () => {
    assert.deepEqual(pinned(2, ['node', 'x.ts']), ['taskset', '-c', '2', 'node', 'x.ts']);
    assert.deepEqual(pinned(null, ['node', 'x.ts']), ['node', 'x.ts']);
  });

  it('CPU ticks are read past a process name with spaces and brackets', () => {
    const stat = '4711 (a ) (b) S 1 4711 4711 0 -1 4194304 100 200 0 0 31 11 7 3 20 0 7 0 5 6 7';
    assert.deepEqual(parseCpuTicks(stat), { own: 42, waitedChildren: 10 });
  });

  it('of a core the time of processes and of the hypervisor is read, not that of interrupts or idleness', () => {
    const stat =
      'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\ncpu1 1 20 300 7 7 7 7 4000 0 0\nintr 1\n';
    assert.equal(parseCoreTicks(stat, 1), 4321);
    assert.equal(parseCoreTicks(stat, 2), null);
  });

  it('the name of a process is read, with spaces and brackets in it', () => {
    assert.equal(parseProcessName('7 (postgres) S 1'), 'postgres');
    assert.equal(parseProcessName('7 (a ) (b) S 1'), 'a ) (b');
  });

  it('others have what is left of the busy time of a core', () => {
    const before = { coreUs: 1_000_000, serverUs: 500_000, databaseUs: null, atMs: 100 };
    const share = (coreUs: number | null, serverUs: number, atMs: number): number | null =>
      othersShare(before, { coreUs, serverUs, databaseUs: null, atMs });
    assert.equal(share(2_900_000, 1_900_000, 2100), 0.25);
    assert.equal(share(1_900_000, 1_500_000, 1100), 0);
    assert.equal(share(null, 1, 1100), null);
  });

  it('what an operation costs is the server’s and, where there is one, the database’s and the load generator’s', () => {
    const before = { coreUs: 0, serverUs: 100, databaseUs: 40, atMs: 0 };
    const after = { coreUs: 2000, serverUs: 2100, databaseUs: 840, atMs: 2 };
    assert.deepEqual(costOf(before, after, 100, 500), {
      cpuUs: 20,
      cpuSplit: { ownUs: 12, databaseUs: 8, loadUs: 5 },
      othersShare: 0,
    });
    assert.deepEqual(costOf(before, after, 100, null).cpuSplit, { ownUs: 12, databaseUs: 8, loadUs: null });
    const alone = { ...after, databaseUs: null };
    assert.deepEqual(costOf({ ...before, databaseUs: null }, alone, 100, 500), { cpuUs: 20, othersShare: 0 });
  });

  it('the result of a loop is found in its output', () => {
    const output = 'a warning\nloop-result {"operations":32,"elapsedUs":5,"cpuUs":4}\n';
    assert.deepEqual(parseLoopResult(output), { operations: 32, elapsedUs: 5, cpuUs: 4 });
    assert.equal(parseLoopResult('nothing'), null);
  });

  it('of a crash the line with the error is told, of other output the last line', () => {
    const crash =
      'node:internal:1\n  throw err;\n\nTypeError: no such thing\n    at x (y:1)\n\nNode.js v24\n';
    assert.equal(tellingLine(crash), 'TypeError: no such thing');
    const refused = '[1] WARN: slow\nhowdah: x.sql, line 1: no such table\n  hint: correct it\n';
    assert.equal(tellingLine(refused), 'howdah: x.sql, line 1: no such table');
    assert.equal(tellingLine('one\ntwo\n    at x (y:1)\n\n'), 'two');
    assert.equal(tellingLine(''), 'it printed nothing');
  });
});

describe('options', () => {
  it('without arguments all scenarios run', () => {
    assert.deepEqual(parseOptions([], ['a', 'b']).scenarios, ['a', 'b']);
  });

  it('scenarios and numbers are taken', () => {
    const options = parseOptions(['b', '--runs', '3', '--seconds', '2', '--json', 'f'], ['a', 'b']);
    assert.deepEqual(options, {
      scenarios: ['b'],
      runs: 3,
      seconds: 2,
      json: 'f',
      publish: false,
      from: [],
      rehearse: false,
      list: false,
    });
  });

  it('an unknown scenario, an unknown option and a number that is none are refused', () => {
    assert.throws(() => parseOptions(['c'], ['a']), /no scenario c/);
    assert.throws(() => parseOptions(['--fast'], ['a']), /--fast/);
    for (const value of ['0', '1.5', 'x']) {
      assert.throws(() => parseOptions([`--runs=${value}`], ['a']), /--runs wants a whole number/);
      assert.throws(() => parseOptions([`--seconds=${value}`], ['a']), /--seconds wants a whole number/);
    }
  });
});
