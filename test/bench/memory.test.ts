// How the memory of a process is read, and connections that are left alone, on servers in this process and beside it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseProportionalBytes } from '../../bench/harness/memory.ts';
import { memoryContestant } from '../../bench/harness/memory-contestant.ts';
import type { RunPlan } from '../../bench/harness/scenario.ts';

const plan: RunPlan = { seconds: 1, warmUpSeconds: 1, cores: { server: null, load: null, warning: null } };

function contestant(script: string) {
  const command = [process.execPath, '-e', script];
  const server = { command: () => command, ready: /^ready$/m };
  return memoryContestant({ name: 'x', version: 'x', server, kind: 'http1', count: 100 });
}

describe('the memory of a process', () => {
  it('is its share of what is in RAM', () => {
    const rollup = '00400000-7fff 0 [rollup]\nRss:   90 kB\nPss:      41 kB\nPss_Anon:   7 kB\n';
    assert.equal(parseProportionalBytes(rollup), 41 * 1024);
    assert.equal(parseProportionalBytes('Rss: 1 kB\n'), null);
  });
});

describe('connections that are left alone', () => {
  it('do not count where the server closes them', async () => {
    const script = `
      require('node:http').createServer((request, response) => response.end('Hello, World!', () => request.socket.destroySoon()))
        .listen(Number(process.env.BENCH_PORT), '127.0.0.1', () => console.log('ready'));
      process.on('SIGTERM', () => process.exit(0));`;
    const result = await contestant(script).run(plan);
    assert.equal(result.kind, 'discounted');
    assert.match(result.kind === 'discounted' ? result.reason : '', /the server has closed a connection/);
  });
});
