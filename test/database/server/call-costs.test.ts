// What calls of a statement are taken to cost, from what was measured of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addSample,
  addSamples,
  CallCosts,
  isQuick,
  isTrial,
  LONG_MS,
  overran,
  type CallCost,
} from '../../../src/database/server/call-costs.ts';

/** Calls of each that have ended, in backends that know their statements. */
const ended = (...costs: readonly CallCost[]) => costs.map((cost) => ({ cost, isCold: false }));

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

  it('is not what the first one takes of which a backend has to plan and read much', () => {
    const costs = new CallCosts();
    const [known, unknown] = [costs.of('known'), costs.of('unknown')];
    addSample(known, 0.1);
    for (let i = 0; i < 8; i += 1) addSample(known, 200, true);
    assert.equal(known.meanMs, 0.1);
    addSample(known, 1, true);
    assert.ok(known.meanMs > 0.1);
    addSample(unknown, 200, true);
    assert.equal(unknown.measured, false);
    addSample(unknown, 100);
    assert.equal(unknown.meanMs, 100);
  });

  it('is tried anew with the first calls after it was quick, and now and then', () => {
    const cost = new CallCosts().of('one');
    const trials: number[] = [];
    for (let i = 0; i < 9000; i += 1) {
      addSample(cost, 2);
      if (isTrial(cost)) trials.push(cost.samples);
    }
    assert.deepEqual([trials[0], trials[62], trials[63], trials.length], [1, 63, 2048, 63 + 4 * 64]);
    while (!isQuick(cost)) addSample(cost, 0.1);
    addSample(cost, 200);
    assert.equal(isQuick(cost), false);
    assert.equal(isTrial(cost), true);
  });

  it('is forgotten with the oldest statement when there are many', () => {
    const costs = new CallCosts();
    addSample(costs.of('first'), 100);
    for (let i = 0; i < 2000; i += 1) costs.of(`statement ${i}`);
    assert.equal(costs.of('first').measured, false);
  });
});

describe('answers that were read together', () => {
  it('of one statement share the time', () => {
    const one = new CallCosts().of('one');
    addSamples(ended(one, one, one, one), 2);
    assert.equal(one.meanMs, 0.5);
  });

  it('of a statement that is known and one that is not: what is left of the time is that of the unknown one', () => {
    const costs = new CallCosts();
    const [quick, slow] = [costs.of('quick'), costs.of('slow')];
    addSample(quick, 0.1);
    addSamples(ended(slow, quick, quick), 200);
    assert.ok(Math.abs(quick.meanMs - 0.1) < 1e-9);
    assert.ok(Math.abs(slow.meanMs - 199.8) < 1e-9);
  });

  it('of several statements make none of them a long one, though it may be', () => {
    const costs = new CallCosts();
    const [one, other] = [costs.of('one'), costs.of('other')];
    addSample(one, 0.1);
    addSample(other, 0.2);
    for (let i = 0; i < 50; i += 1) addSamples(ended(one, other), 5000);
    assert.ok(one.meanMs > 1 && one.meanMs <= LONG_MS);
    assert.ok(other.meanMs > 1 && other.meanMs <= LONG_MS);
  });

  it('leave what is long as it is', () => {
    const costs = new CallCosts();
    const [quick, long] = [costs.of('quick'), costs.of('long')];
    addSample(quick, 0.1);
    addSample(long, 100);
    addSamples(ended(long, quick), 100.1);
    assert.ok(Math.abs(long.meanMs - 100) < 1e-9);
    assert.ok(quick.meanMs < 0.2);
  });

  it('in less time than was expected, and with an unknown one among them, are all samples', () => {
    const costs = new CallCosts();
    const [known, unknown] = [costs.of('known'), costs.of('unknown')];
    addSample(known, 4);
    addSamples(ended(known, unknown), 2);
    assert.ok(known.meanMs < 4);
    assert.equal(unknown.meanMs, 1);
  });
});

describe('calls that were ended because others waited behind them', () => {
  it('are long where all are of one statement, and only to be told apart where they are not', () => {
    const costs = new CallCosts();
    const [one, other] = [costs.of('one'), costs.of('other')];
    addSample(one, 0.1);
    overran(new Set([one, other]), 250);
    assert.equal(one.meanMs, LONG_MS);
    overran(new Set([one]), 250);
    assert.equal(one.meanMs, 250);
  });
});
