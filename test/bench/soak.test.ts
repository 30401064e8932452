// When memory counts as growing: on made-up readings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findGrowth } from '../../bench/soak/growth.ts';

const MEGABYTE = 1024 * 1024;

/** A reading every ten seconds. */
const readings = (...megabytes: readonly number[]) =>
  megabytes.map((each, index) => ({ atSeconds: index * 10, bytes: each * MEGABYTE }));

test('memory that has settled does not grow, whatever it did in the first third', () => {
  const growth = findGrowth(readings(50, 100, 200, 300, 305, 295, 300, 303, 300));
  assert.equal(growth?.isGrowing, false);
  assert.ok(Math.abs(growth?.bytesPerMinute ?? Infinity) < 5 * MEGABYTE);
});

test('memory that goes on growing is told with its slope', () => {
  const growth = findGrowth(readings(0, 0, 0, 10, 20, 30, 40, 50, 60));
  assert.equal(growth?.isGrowing, true);
  assert.equal(Math.round((growth?.bytesPerMinute ?? 0) / MEGABYTE), 60);
  assert.equal(growth?.changeBytes, 30 * MEGABYTE);
});

test('a single peak is no growth', () => {
  assert.equal(findGrowth(readings(0, 0, 0, 10, 10, 10, 10, 200, 10))?.isGrowing, false);
});

test('too few readings tell nothing', () => {
  assert.equal(findGrowth(readings(1, 2, 3, 4)), null);
});
