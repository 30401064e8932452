// Contestants that misbehave, as real processes: none of their runs counts, none of them is left behind. The load generator
// is not needed, since each is found out before the load.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { httpContestant } from '../../bench/harness/http-contestant.ts';
import { loopContestant } from '../../bench/harness/loop-contestant.ts';
import { probe } from '../../bench/harness/probe.ts';
import type { RunPlan, RunResult } from '../../bench/harness/scenario.ts';
import { freePort } from '../support/free-port.ts';
import { startServer } from '../../bench/harness/server-process.ts';
import { startContestant } from '../../bench/harness/start-contestant.ts';
import { SCENARIOS } from '../../bench/scenarios/all.ts';

const plan: RunPlan = {
  seconds: 1,
  warmUpSeconds: 1,
  cores: { server: null, load: null, warning: null },
};

const READY = /^ready$/m;
const HELLO = { status: 200, body: 'hello', fields: {} };

/** A server that answers every request with `body` and ends on SIGTERM. */
function answering(body: string): readonly string[] {
  const script = `
    require('node:http').createServer((request, response) => response.end(${JSON.stringify(body)}))
      .listen(Number(process.env.BENCH_PORT), '127.0.0.1', () => console.log('ready'));
    process.on('SIGTERM', () => process.exit(0));`;
  return [process.execPath, '-e', script];
}

function reasonOf(result: RunResult): string {
  assert.equal(result.kind, 'discounted');
  return result.reason;
}

async function runHttp(command: readonly string[]): Promise<RunResult> {
  const load = { connections: 1, target: '/', script: 'summary.lua' };
  const server = { command: () => command, ready: READY };
  return httpContestant({ name: 'x', version: 'x', server, load, expected: HELLO }).run(plan);
}

describe('a run of an HTTP contestant does not count', () => {
  it('where its command is not there', async () => {
    assert.match(reasonOf(await runHttp(['/nonexistent/server'])), /could not be started: .*ENOENT/);
  });

  it('where it ends before it is ready, and its error is told', async () => {
    const crash = [process.execPath, '-e', 'throw new TypeError("no such thing")'];
    assert.match(reasonOf(await runHttp(crash)), /ended before it was ready: TypeError: no such thing/);
  });

  it('where its answer is wrong', async () => {
    assert.match(reasonOf(await runHttp(answering('bye'))), /before the load: wrong body: "bye"/);
  });
});

describe('a server process', () => {
  it('gets a port, answers there, and is gone when it was stopped', async () => {
    const server = await startServer(
      { command: () => answering('hello'), ready: READY },
      await freePort(),
      null,
    );
    const answer = await probe(server.port, { target: '/' });
    assert.equal(answer.body, 'hello');
    assert.equal(await server.stop(), null);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    connect(server.port, '127.0.0.1')
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      .once('connect', () => resolve('connected'));
    assert.equal(await promise, 'ECONNREFUSED');
  });

  it('that has ended by itself is told when it is stopped', async () => {
    const script = 'console.log("ready"); process.exit(3)';
    const command = () => [process.execPath, '-e', script];
    const server = await startServer({ command, ready: READY }, await freePort(), null);
    await server.ended;
    assert.match((await server.stop()) ?? '', /ended by itself \(3\)/);
  });
});

describe('a server process that does not end well', () => {
  it('is told with its status', async () => {
    const script = `
      process.on('SIGTERM', () => process.exit(7));
      setInterval(() => undefined, 1000);
      console.log('ready');`;
    const command = () => [process.execPath, '-e', script];
    const server = await startServer({ command, ready: READY }, await freePort(), null);
    assert.match((await server.stop()) ?? '', /ended with 7 on SIGTERM/);
  });
});

describe('a loop', () => {
  const run = (script: string) => loopContestant('x', 'x', [process.execPath, '-e', script]).run(plan);
  const line = 'loop-result {"operations":50,"elapsedUs":2000000,"cpuUs":1000}';

  it('counts with the figures that it prints', async () => {
    const result = await run(`console.log(${JSON.stringify(line)})`);
    assert.deepEqual(result, {
      kind: 'counted',
      value: 25,
      p50Us: null,
      p99Us: null,
      cpuUs: 20,
      othersShare: null,
      remark: null,
    });
  });

  it('that asks a database counts with whose the CPU time was', async () => {
    const split = line.replace('"cpuUs":1000', '"cpuUs":1000,"databaseUs":1000,"loadUs":500');
    const result = await run(`console.log(${JSON.stringify(split)})`);
    assert.equal(result.kind, 'counted');
    assert.deepEqual(result.kind === 'counted' ? result.cpuSplit : null, {
      ownUs: null,
      databaseUs: 20,
      loadUs: 10,
    });
  });

  it('does not count where it fails, whatever it has printed', async () => {
    const result = await run(`console.log(${JSON.stringify(line)}); process.exitCode = 1`);
    assert.match(reasonOf(result), /ended with 1/);
  });

  it('does not count where it prints no figures', async () => {
    assert.match(reasonOf(await run('console.error("Error: lost")')), /ended with 0: Error: lost/);
  });
});

describe('a measured start', () => {
  const directories: string[] = [];
  const start = (body: string, existing: boolean) => {
    const server = (directory: string) => {
      directories.push(directory);
      return { command: () => answering(body), ready: READY };
    };
    return startContestant({ name: 'x', version: 'x', server, existing, target: '/', expected: HELLO }).run(
      plan,
    );
  };

  it('counts from the process to the right answer; on an existing directory it is the second start there', async () => {
    const result = await start('hello', true);
    assert.equal(result.kind, 'counted');
    assert.equal(directories.length, 2);
    assert.equal(directories[0], directories[1]);
    assert.equal(existsSync(directories[0] ?? ''), false);
  });

  it('does not count where the answer is wrong', async () => {
    assert.match(reasonOf(await start('bye', false)), /wrong body: "bye"/);
  });
});

describe('the scenarios', () => {
  it('have names of their own, and targets and a subject that are among their contestants', () => {
    const names = SCENARIOS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { contestants, subject, targets } of SCENARIOS) {
      const known = contestants.map(({ name }) => name);
      assert.equal(new Set(known).size, known.length);
      assert.ok(known.includes(subject));
      for (const { against } of targets) assert.ok(known.includes(against), against);
    }
  });
});
