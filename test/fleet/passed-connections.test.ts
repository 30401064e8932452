// Who gets a connection that one worker has accepted for another, in every state that the workers can be in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassedConnections } from '../../src/fleet/passed-connections.ts';
import type { WorkerChild, WorkerState } from '../../src/fleet/worker-child.ts';

/** A worker of which only this matters here. `given`: those it was given, with what tells that it did not take them. */
class FakeWorker {
  readonly number: number;
  state: WorkerState;
  given: (() => void)[] = [];

  constructor(number: number, state: WorkerState = 'serving') {
    this.number = number;
    this.state = state;
  }

  give(_key: number, _from: number, _handle: unknown, failed: () => void): void {
    if (this.state === 'ended') failed();
    else this.given.push(failed);
  }

  /** All that it was given and has not taken goes on. */
  fail(): void {
    for (const failed of this.given.splice(0)) failed();
  }
}

function make(...workers: FakeWorker[]) {
  let closed = 0;
  const running = workers as unknown as WorkerChild[];
  const passed = new PassedConnections(() => running);
  return {
    passed,
    running,
    pass: (from: FakeWorker, to: number) =>
      passed.pass({
        from: from as unknown as WorkerChild,
        key: 1,
        to,
        handle: { fd: -1, close: () => void (closed += 1) },
      }),
    get closed() {
      return closed;
    },
  };
}

const counts = (...workers: FakeWorker[]): number[] => workers.map(({ given }) => given.length);

test('a connection goes to the worker that it is meant for', () => {
  const [one, two, three] = [new FakeWorker(1), new FakeWorker(2), new FakeWorker(3)];
  make(one, two, three).pass(one, 3);
  assert.deepEqual(counts(one, two, three), [0, 0, 1]);
});

test('where that one is gone it goes to another, and to the one that accepted it where there is no other', () => {
  const [one, two] = [new FakeWorker(1), new FakeWorker(2)];
  make(one, two).pass(one, 7);
  assert.deepEqual(counts(one, two), [0, 1]);
  const alone = new FakeWorker(1);
  make(alone).pass(alone, 7);
  assert.deepEqual(counts(alone), [1]);
});

test('one that is not taken is offered to all others, each once, and never to one that starts', () => {
  const [one, two, three] = [new FakeWorker(1), new FakeWorker(2), new FakeWorker(3)];
  const late = new FakeWorker(4, 'starting');
  const all = make(one, two, three, late);
  all.pass(one, 2);
  two.fail();
  assert.deepEqual(counts(one, two, three), [0, 0, 1]);
  three.fail();
  assert.deepEqual(counts(one, two, three, late), [1, 0, 0, 0]);
  assert.equal(all.closed, 0);
  // It has accepted it, and does not know its listener any more: nobody serves that.
  one.fail();
  assert.deepEqual(counts(one, two, three, late), [0, 0, 0, 0]);
  assert.equal(all.closed, 1);
});

test('while all drain, one that drains gets it', () => {
  const [one, two] = [new FakeWorker(1, 'draining'), new FakeWorker(2, 'draining')];
  const all = make(one, two);
  all.pass(one, 2);
  assert.equal(one.given.length + two.given.length, 1);
  one.fail();
  assert.deepEqual(counts(one, two), [0, 1]);
  assert.equal(all.closed, 0);
});

test('while all are dead it waits for one that serves', () => {
  const [one, two] = [new FakeWorker(1), new FakeWorker(2)];
  const all = make(one, two);
  all.pass(one, 2);
  for (const worker of [one, two]) worker.state = 'ended';
  two.fail();
  assert.equal(all.closed, 0);
  const fresh = new FakeWorker(3);
  all.running.push(fresh as unknown as WorkerChild);
  all.passed.offerWaiting();
  assert.deepEqual(counts(fresh), [1]);
  assert.equal(all.closed, 0);
});

test('what waits is bounded, and closed at the end', () => {
  const one = new FakeWorker(1, 'ended');
  const all = make(one);
  for (let i = 0; i < 1024; i++) all.pass(one, 2);
  assert.equal(all.closed, 0);
  all.pass(one, 2);
  assert.equal(all.closed, 1);
  all.passed.close();
  assert.equal(all.closed, 1025);
});
