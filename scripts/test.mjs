// Runs the checks and then every test; with arguments, only the test files they name.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const named = process.argv.slice(2);
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

if (named.length === 0) run('npm', ['run', '--silent', 'check']);
const files = named.length > 0 ? named : globSync('test/**/*.test.ts', { cwd: root }).sort();
const preload = '--import=./test/support/property-seed.ts';
// The runner's own default leaves a core idle, and tests wait more than they compute.
const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`;
run(process.execPath, [
  preload,
  '--test',
  concurrency,
  '--test-reporter=spec',
  '--test-timeout=300000',
  ...files,
]);
