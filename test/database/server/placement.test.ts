// Which session takes a call, and what calls cost.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, double, property } from 'fast-check';
import { addSample, CallCosts, type CallCost } from '../../../src/database/server/call-costs.ts';
import { LONG_MS, needsMore, placeCall, type Placeable } from '../../../src/database/server/placement.ts';

interface Fake extends Placeable {
  readonly name: string;
  readonly long: boolean;
}

function session(name: string, inFlight = 0, backlogMs = 0, more: Partial<Fake> = {}): Fake {
  const fake = { name, inFlight, backlogMs, isCancelling: false, hasUnmeasured: false, long: false, ...more };
  return { ...fake, isLong: () => fake.long };
}

const cost = (meanMs: number, leastMs = meanMs): CallCost => ({ meanMs, leastMs, measured: true });
const place = (sessions: readonly Fake[], meanMs: number, max = sessions.length): string | null =>
  placeCall(sessions, max, cost(meanMs), 0)?.name ?? null;

describe('a call', () => {
  it('that is quick goes behind others, in the first session that has little to do', () => {
    assert.equal(place([session('a', 20, 1), session('b')], 0.05), 'a');
    assert.equal(place([session('a', 60, 3), session('b')], 0.05), 'b');
  });

  it('that is quick fills two batches of a session before it goes to another, whatever it is expected to take', () => {
    assert.equal(place([session('a', 31, 9), session('b')], 0.3), 'a');
    assert.equal(place([session('a', 32, 9), session('b')], 0.3), 'b');
  });

  it('is quick by the least it took, unless others of its statement take much more', () => {
    const first = session('a', 20, 1);
    assert.equal(placeCall([first, session('b')], 2, cost(2, 0.05), 0)?.name, 'a');
    assert.equal(placeCall([first, session('b')], 2, cost(4, 0.05), 0)?.name, 'b');
  });

  it('that is neither quick nor long goes to an idle session, and else behind few others', () => {
    assert.equal(place([session('a', 1, 1), session('b')], 1), 'b');
    assert.equal(place([session('a', 3, 3), session('b', 2, 2)], 1), 'b');
    assert.equal(place([session('a', 4, 4.5), session('b', 5, 5)], 1), null);
  });

  it('that is long goes to an idle session, and leaves one to the others', () => {
    const long = session('long', 1, 50, { long: true });
    assert.equal(place([session('a'), session('b')], 50), 'b');
    assert.equal(place([session('a', 1, 0.1), session('b')], 50), 'b');
    assert.equal(place([session('a', 1, 0.1)], 50), null);
    assert.equal(place([session('a'), long], 50), null);
    assert.equal(place([session('a'), long], 50, 3), 'a');
    assert.equal(place([session('a')], 50), 'a');
  });

  it('of any kind goes behind no long one, and not where a cancellation is under way', () => {
    const sessions = [
      session('long', 1, 0.1, { long: true }),
      session('cancelling', 0, 0, { isCancelling: true }),
    ];
    assertProperty(
      property(double({ min: 0, max: 1000, noNaN: true }), (meanMs) => {
        assert.equal(place(sessions, meanMs, 8), null);
      }),
    );
  });

  it('does not go behind one that was never measured, as long as there can be another session', () => {
    const unmeasured = session('unmeasured', 1, 1, { hasUnmeasured: true });
    assert.equal(place([unmeasured], 1, 2), null);
    assert.equal(place([unmeasured], 0.05, 2), null);
    assert.equal(place([unmeasured, session('b', 20, 1)], 0.05, 3), 'b');
    assert.equal(place([unmeasured], 1, 1), 'unmeasured');
  });

  it('asks for another session where one would have been better', () => {
    assert.equal(needsMore(session('a'), cost(5)), false);
    assert.equal(needsMore(session('a', 1, 1), cost(5)), true);
    assert.equal(needsMore(session('a', 10, 0.5), cost(0.05)), false);
    assert.equal(needsMore(session('a', 60, 3), cost(0.05)), true);
  });
});

describe('the cost of a call', () => {
  it('is what its statement has taken lately: slow after one slow call, quick after many quick ones', () => {
    const costs = new CallCosts();
    const one = costs.of('one');
    addSample(one, 0.05);
    assert.equal(costs.of('one').meanMs, 0.05);
    addSample(one, 5000);
    assert.ok(one.meanMs > LONG_MS);
    assert.ok(one.leastMs < LONG_MS * 10);
    for (let i = 0; i < 60; i += 1) addSample(one, 0.05);
    assert.ok(one.meanMs < LONG_MS);
  });

  it('is at least what it was when little was in the way, though it has taken more lately', () => {
    const one = new CallCosts().of('one');
    addSample(one, 5);
    for (let i = 0; i < 10; i += 1) addSample(one, 0.05);
    for (let i = 0; i < 10; i += 1) addSample(one, 1);
    assert.ok(one.leastMs < 0.3);
    for (let i = 0; i < 300; i += 1) addSample(one, 1);
    assert.ok(one.leastMs > 0.9);
  });

  it('is forgotten with the oldest statement when there are many', () => {
    const costs = new CallCosts();
    addSample(costs.of('first'), 100);
    for (let i = 0; i < 2000; i += 1) costs.of(`statement ${i}`);
    assert.equal(costs.of('first').measured, false);
  });
});
