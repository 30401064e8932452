// What h2load prints, on recorded samples.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findH2LoadFault, parseH2LoadSummary, type H2Load } from '../../bench/harness/h2load.ts';

const OUTPUT = `starting benchmark...
spawning thread #0: 16 total client(s). Timing-based test with 0s of warm-up time and 1s of main duration for measurements.
Main benchmark duration is over for thread #0. Stopping all clients.
Stopped all clients for thread #0

finished in 1.00s, 21240.00 req/s, 871.00KB/s
requests: 21240 total, 21240 started, 21240 done, 21240 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 21232 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 871.00KB (891908) total, 64.61KB (66164) headers (space savings 95.33%), 269.65KB (276120) data
                     min         max         mean         sd        +/- sd
time for request:      282us     19.48ms      1.47ms      1.21ms    97.97%
`;
const LOAD: H2Load = { scheme: 'http', protocol: 'h2', connections: 16, streams: 32, target: '/' };

describe('h2load', () => {
  const good = parseH2LoadSummary(OUTPUT);

  it('its figures are found in what it prints', () => {
    assert.deepEqual(good, { requests: 21_240, failed: 0, badStatuses: 0, dataBytes: 276_120 });
    assert.equal(findH2LoadFault(good, LOAD, 13), null);
  });

  it('an output without figures is an error with its telling line', () => {
    assert.throws(
      () => parseH2LoadSummary('Could not connect\n'),
      /h2load gave no summary: Could not connect/,
    );
  });

  it('failures, errors, timeouts and other statuses are faults', () => {
    const changed = (from: string, to: string) =>
      findH2LoadFault(parseH2LoadSummary(OUTPUT.replace(from, to)), LOAD, 13);
    assert.equal(changed('0 failed', '2 failed'), '2 requests failed');
    assert.equal(changed('0 errored', '3 errored'), '3 requests failed');
    assert.equal(changed('0 timeout', '4 timeout'), '4 requests failed');
    for (const status of ['3xx', '4xx', '5xx']) {
      assert.match(changed(`0 ${status}`, `1 ${status}`) ?? '', /^1 responses with another status/);
    }
    assert.equal(changed('21240 succeeded', '0 succeeded'), 'no request was answered');
  });

  it('bodies of another size than the probe’s are a fault, those under way at the end are not', () => {
    assert.match(findH2LoadFault(good, LOAD, 14) ?? '', /had 13\.0 bytes on average, the probe's 14/);
    const cut = { ...good, requests: 100, dataBytes: 100 * 13 + 512 * 13 };
    assert.equal(findH2LoadFault(cut, LOAD, 13), null);
    assert.notEqual(findH2LoadFault({ ...cut, dataBytes: cut.dataBytes + 1 }, LOAD, 13), null);
  });
});
