// The packed package, installed in an empty folder, serves.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HowdahProcess, temporaryDirectory } from './howdah-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What npm pack and the build read. They write dist/, so they do it to a copy: other tests run at the same time. */
const BUILD_INPUT = [
  'package.json',
  'LICENSE',
  'README.md',
  'tsconfig.json',
  'tsconfig.build.json',
  'bin',
  'scripts',
  'src',
  'sql',
];

test('npm pack makes a package whose `npx howdah serve` works in an empty folder', async () => {
  using directory = temporaryDirectory();
  const clone = join(directory.path, 'clone');
  const empty = join(directory.path, 'empty');
  mkdirSync(clone);
  mkdirSync(empty);
  for (const name of BUILD_INPUT) cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  // This Node.js first: npm starts what `node` is on PATH.
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync('npm', [...args, '--loglevel=error'], { cwd, env, encoding: 'utf8' });

  npm(clone, 'pack', '--pack-destination', empty);
  const [tarball = ''] = readdirSync(empty);
  assert.match(tarball, /^howdah-\d+\.\d+\.\d+\.tgz$/);
  npm(empty, 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`);
  const installed = join(empty, 'node_modules/howdah');
  assert.deepEqual(
    readdirSync(installed)
      .filter((name) => !/^(?:LICENSE|README\.md|package\.json)$/.test(name))
      .sort(),
    ['bin', 'build', 'dist', 'sql'],
  );

  const args = ['serve', '--memory', '--listen', '127.0.0.1:0', '--pg-listen', 'off'];
  await using running = new HowdahProcess(args, { cwd: empty, bin: join(empty, 'node_modules/.bin/howdah') });
  const [, url = ''] = await running.prints(/^(http:\/\/127\.0\.0\.1:\d+)\n/m);
  assert.equal((await fetch(url)).status, 200);
  running.child.kill('SIGTERM');
  assert.equal((await running.ended()).code, 0);
  assert.match(npm(empty, 'exec', '--offline', '--', 'howdah', '--version'), /^howdah \d+\.\d+\.\d+\n$/);
});
