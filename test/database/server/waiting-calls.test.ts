// Calls that wait for a session: order, bounds, and that those of one statement do not stand in the way of others.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallResult, SqlCall } from '../../../src/database/call.ts';
import { CallCosts, type CallCost } from '../../../src/database/server/call-costs.ts';
import { kindOf } from '../../../src/database/server/placement.ts';
import { WaitingCalls } from '../../../src/database/server/waiting-calls.ts';

interface NamedCall extends SqlCall {
  readonly name: string;
  readonly results: CallResult[];
}

function call(name: string): NamedCall {
  const results: CallResult[] = [];
  const statement = { name, text: '', parameterTypes: [], resultFormat: 1 } as const;
  return {
    name,
    results,
    statement,
    parameters: [],
    epoch: null,
    resetAfter: false,
    complete: (result) => results.push(result),
  };
}

function waitingCalls(maxCalls = 100) {
  const costs = new CallCosts();
  const known = (name: string, meanMs: number): CallCost =>
    Object.assign(costs.of(name), { meanMs, leastMs: meanMs, measured: true });
  const waiting = new WaitingCalls({ maxCalls, timeoutMs: 60_000, kindOf: (cost) => kindOf(cost, []) });
  return { waiting, quick: known('quick', 0.1), long: known('long', 100), costs };
}

/** The names of all that are offered to somebody who takes what `takes` says. */
function offered(waiting: WaitingCalls, takes: (name: string) => boolean): string[] {
  const names: string[] = [];
  waiting.drain((each) => {
    const { name } = each.statement;
    if (!takes(name)) return false;
    names.push(name);
    return true;
  });
  return names;
}

describe('calls that wait', () => {
  it('are offered the oldest first, whatever their statement', () => {
    const { waiting, quick, long } = waitingCalls();
    for (const name of ['1 long', '2 quick', '3 quick', '4 long']) {
      waiting.add(call(name), name.endsWith('long') ? long : quick);
    }
    const names = offered(waiting, () => true);
    assert.deepEqual(names.toSorted(), names);
    assert.equal(names.length, 4);
    assert.equal(waiting.length, 0);
    waiting.refuseAll('over');
  });

  it('pass those of another kind that find no place', () => {
    const { waiting, quick, long } = waitingCalls();
    waiting.add(call('long 1'), long);
    waiting.add(call('quick 1'), quick);
    waiting.add(call('long 2'), long);
    waiting.add(call('quick 2'), quick);
    assert.deepEqual(
      offered(waiting, (name) => name.startsWith('quick')),
      ['quick 1', 'quick 2'],
    );
    assert.deepEqual(
      offered(waiting, () => true),
      ['long 1', 'long 2'],
    );
    waiting.refuseAll('over');
  });

  it('pass those of which it has become known since that they are long', () => {
    const { waiting, quick, costs } = waitingCalls();
    const unknown = costs.of('unknown');
    waiting.add(call('unknown'), unknown);
    waiting.add(call('quick'), quick);
    Object.assign(unknown, { meanMs: 200, leastMs: 200, measured: true });
    const kinds: string[] = [];
    waiting.drain((_, __, kind) => {
      kinds.push(kind);
      return kind === 'quick';
    });
    assert.deepEqual(kinds, ['long', 'quick']);
    waiting.refuseAll('over');
  });

  it('tell of which kinds some are left', () => {
    const { waiting, quick, long } = waitingCalls();
    waiting.add(call('long'), long);
    waiting.add(call('quick'), quick);
    assert.deepEqual([...waiting.drain((_, __, kind) => kind === 'quick')], ['long']);
    assert.deepEqual([...waiting.drain(() => true)], []);
  });

  it('are bounded, each kind by itself', () => {
    const { waiting, quick, long } = waitingCalls(2);
    const calls = ['1', '2', '3'].map(call);
    for (const each of calls) waiting.add(each, long);
    assert.deepEqual(
      calls.map(({ results }) => results.map(({ kind }) => kind)),
      [[], [], ['unavailable']],
    );
    const other = call('quick');
    waiting.add(other, quick);
    assert.deepEqual(other.results, []);
    assert.equal(waiting.length, 3);
    waiting.refuseAll('over');
    assert.deepEqual(other.results, [{ kind: 'unavailable', reason: 'over' }]);
    assert.equal(waiting.length, 0);
  });

  it('that are put back go first, and are not counted', () => {
    const { waiting, quick } = waitingCalls(1);
    waiting.add(call('waits'), quick);
    waiting.putBack([call('back 1'), call('back 2')], quick);
    assert.deepEqual(
      offered(waiting, () => true),
      ['back 1', 'back 2', 'waits'],
    );
    assert.equal(waiting.has(quick), false);
  });

  it('are unavailable when they have waited long enough', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const waiting = new WaitingCalls({ maxCalls: 10, timeoutMs: 0, kindOf: (cost) => kindOf(cost, []) });
    const one = call('one');
    waiting.add(one, new CallCosts().of('one'));
    context.mock.timers.tick(1);
    assert.deepEqual(one.results, [{ kind: 'unavailable', reason: 'no session took it within 0 ms' }]);
    assert.deepEqual([...waiting.drain(() => true)], []);
  });
});
