// How many CPUs a process may use, read from control groups as they are in files of theirs.
import assert from 'node:assert/strict';
import { join } from 'node:path/posix';
import { test } from 'node:test';
import { availableCpus } from '../../src/fleet/available-cpus.ts';

const MACHINE = 8;

/** Of a machine with these files and no others. */
const cpus = (files: Readonly<Record<string, string>>): number =>
  availableCpus(MACHINE, (path) => files[path] ?? null);

const v2 = (group: string, limits: Readonly<Record<string, string>>): Record<string, string> => ({
  '/proc/self/cgroup': `0::${group}\n`,
  ...Object.fromEntries(
    Object.entries(limits).map(([path, text]) => [join('/sys/fs/cgroup', path, 'cpu.max'), `${text}\n`]),
  ),
});

test('without control groups all CPUs of the machine may be used', () => {
  assert.equal(cpus({}), MACHINE);
  assert.equal(cpus({ '/proc/self/cgroup': '' }), MACHINE);
});

test('a group of version 2 allows its quota, a part of a CPU counted as one', () => {
  assert.equal(cpus(v2('/app', { '/app': '200000 100000' })), 2);
  assert.equal(cpus(v2('/app', { '/app': '150000 100000' })), 2);
  assert.equal(cpus(v2('/app', { '/app': '20000 100000' })), 1);
  assert.equal(cpus(v2('/app', { '/app': 'max 100000' })), MACHINE);
});

test('no group allows more than the machine has', () => {
  assert.equal(cpus(v2('/app', { '/app': '6400000 100000' })), MACHINE);
});

test('of a group and those above it the least counts', () => {
  const limits = { '/a/b/c': '400000 100000', '/a/b': 'max 100000', '/a': '300000 100000' };
  assert.equal(cpus(v2('/a/b/c', limits)), 3);
});

test('in a container, whose own path is not seen from within, the root of what is seen counts', () => {
  assert.equal(cpus(v2('/docker/0123', { '/': '300000 100000' })), 3);
});

test('a group of version 1 allows its quota, wherever the controller stands among others', () => {
  const v1 = (quota: string): Record<string, string> => ({
    '/proc/self/cgroup': '12:memory:/app\n4:cpu,cpuacct:/app\n1:name=systemd:/init\n',
    '/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': `${quota}\n`,
    '/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': '100000\n',
  });
  assert.equal(cpus(v1('250000')), 3);
  assert.equal(cpus(v1('-1')), MACHINE);
});

test('what cannot be understood allows everything', () => {
  for (const text of ['', 'much', '100000', '0 0', '0 100000', '100000 0', '-5 100000']) {
    assert.equal(cpus(v2('/app', { '/app': text })), MACHINE, text);
  }
});

test('the machine that this runs on has at least one', () => {
  assert.ok(availableCpus() >= 1);
});
