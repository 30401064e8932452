// Data directories: held by one process, recovered after kill -9, made whole or not at all.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { beginCluster, finishCluster } from '../../src/database/embedded/cluster-directory.ts';
import { lockDataDirectory } from '../../src/database/embedded/data-lock.ts';
import { ownIdentity } from '../../src/database/embedded/process-identity.ts';
import {
  CLAIM_FRESH_MS,
  readRuntime,
  writeClaim,
  type Claim,
} from '../../src/database/embedded/runtime-file.ts';
import { openTestEmbedded, preparedDirectory, temporaryDirectory } from './support/embedded.ts';

const WRITER = new URL('./support/writer-process.ts', import.meta.url).pathname;

interface Writer {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves when the process has told so many lines, or has ended. */
  told(count: number): Promise<void>;
}

function startWriter(context: TestContext, directory: string, mode: string): Writer {
  const child = spawn(process.execPath, [WRITER, directory, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  let wake = (): void => undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  child.on('exit', () => wake());
  return {
    child,
    lines,
    async told(count) {
      while (lines.length < count && child.exitCode === null && child.signalCode === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

async function kill(writer: Writer): Promise<void> {
  const closed = once(writer.child, 'close');
  writer.child.kill('SIGKILL');
  await closed;
}

function temporary(context: TestContext): string {
  const directory = temporaryDirectory();
  context.after(() => directory.remove());
  return directory.path;
}

function claimOf(identity: Partial<Claim['identity']>): Claim {
  return {
    identity: { ...ownIdentity(), ...identity },
    runtime: { pid: identity.pid ?? process.pid, startedAt: 'then', gateway: null, listeners: [] },
  };
}

describe('a data directory', () => {
  it('loses no acknowledged row to kill -9 under write load, and opens again each time', async (context) => {
    const directory = await preparedDirectory(context);
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const writer = startWriter(context, directory, 'write');
      await writer.told(200 + round * 137);
      await kill(writer);
      assert.equal(writer.lines[0], 'open');
      for (const line of writer.lines.slice(1)) {
        assert.match(line, /^wrote \d+$/);
        acknowledged.add(line.slice('wrote '.length));
      }
    }
    const { database } = await openTestEmbedded({ dataDirectory: directory });
    const { rows } = await database.query('select x from written');
    await database.close();
    const there = new Set(rows.flat());
    assert.ok(acknowledged.size > 600);
    assert.deepEqual(
      [...acknowledged].filter((value) => !there.has(value)),
      [],
    );
  });

  it('keeps a second process out, and lets it in when the first is gone, however it went', async (context) => {
    const directory = await preparedDirectory(context);
    const first = startWriter(context, directory, 'hold');
    await first.told(1);
    assert.deepEqual(first.lines, ['open']);
    await assert.rejects(openTestEmbedded({ dataDirectory: directory }), {
      code: 'HOWDAH_DATA_LOCKED',
      message: new RegExp(`process ${first.child.pid}, since .*, SQL clients at 127.0.0.1:1`),
    });
    const { pid, gateway, listeners } = readRuntime(directory) ?? {};
    assert.deepEqual([pid, gateway, listeners], [first.child.pid, '127.0.0.1:1', ['http://127.0.0.1:2']]);
    await kill(first);
    assert.equal(readRuntime(directory), null);
    const second = startWriter(context, directory, 'hold');
    await second.told(1);
    assert.deepEqual(second.lines, ['open']);
    second.child.stdin?.end();
    await once(second.child, 'exit');
    assert.deepEqual(readdirSync(directory), ['postgres']);
  });

  it('goes to one of several processes that start in the same moment', async (context) => {
    const directory = await preparedDirectory(context);
    const writers = Array.from({ length: 4 }, () => startWriter(context, directory, 'hold'));
    await Promise.all(writers.map((writer) => writer.told(1)));
    const lines = writers.map((writer) => writer.lines[0] ?? '');
    const refused = lines.filter((line) => line === 'refused HOWDAH_DATA_LOCKED');
    assert.ok(refused.length >= 3, lines.join());
    assert.ok(
      lines.every((line) => line === 'open' || line === 'refused HOWDAH_DATA_LOCKED'),
      lines.join(),
    );
  });

  it('is held once within a process, too, by whatever path', async (context) => {
    const directory = temporary(context);
    const lock = await lockDataDirectory(directory);
    await assert.rejects(lockDataDirectory(join(directory, '..', directory.split('/').at(-1) ?? '')), {
      code: 'HOWDAH_DATA_LOCKED',
    });
    lock.release();
    (await lockDataDirectory(directory)).release();
  });

  it('is not held by a process whose pid another one has got since', async (context) => {
    const directory = temporary(context);
    writeClaim(
      join(directory, `howdah-${process.ppid}-1.lock`),
      claimOf({ pid: process.ppid, startTime: '1' }),
    );
    (await lockDataDirectory(directory)).release();
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is held by a process of another container as long as that touches its claim', async (context) => {
    const directory = temporary(context);
    const path = join(directory, 'howdah-1-99.lock');
    writeClaim(path, claimOf({ pid: 1, startTime: '99', place: 'elsewhere' }));
    await assert.rejects(lockDataDirectory(directory), { code: 'HOWDAH_DATA_LOCKED' });
    const then = new Date(Date.now() - CLAIM_FRESH_MS - 1000);
    utimesSync(path, then, then);
    (await lockDataDirectory(directory)).release();
    assert.ok(!existsSync(path));
  });

  it('that is a file, lies below a file, or may not be written to, is unusable', async (context) => {
    const directory = temporary(context);
    const file = join(directory, 'file');
    writeFileSync(file, '');
    for (const unusable of [file, join(file, 'below')]) {
      await assert.rejects(lockDataDirectory(unusable), {
        code: 'HOWDAH_DATA_UNUSABLE',
        message: /not a directory|ENOTDIR/,
      });
    }
    const readOnly = join(directory, 'read-only');
    mkdirSync(readOnly);
    chmodSync(readOnly, 0o500);
    // Root may write anywhere; /proc refuses even root.
    const refused = process.getuid?.() === 0 ? '/proc/howdah' : readOnly;
    await assert.rejects(lockDataDirectory(refused), { code: 'HOWDAH_DATA_UNUSABLE' });
  });

  it('with a cluster that was not finished gets a new one, and one that was keeps it', (context) => {
    const cluster = join(temporary(context), 'postgres');
    assert.equal(beginCluster(cluster), true);
    writeFileSync(join(cluster, 'PG_VERSION'), '18');
    writeFileSync(join(cluster, 'half'), '');
    // Killed here.
    assert.equal(beginCluster(cluster), true);
    assert.deepEqual(readdirSync(cluster), []);
    writeFileSync(join(cluster, 'PG_VERSION'), '18');
    finishCluster(cluster);
    assert.equal(beginCluster(cluster), false);
    assert.deepEqual(readdirSync(cluster), ['PG_VERSION']);
  });
});
