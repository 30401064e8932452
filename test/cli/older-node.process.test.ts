// The command started by a Node.js that is too old for it: it runs itself with the one that is installed beside it, which is then the
// server; whoever signals the process that he has started means that one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './howdah-process.ts';

const BIN = fileURLToPath(new URL('../../bin/howdah.js', import.meta.url));
const BESIDE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

/** What runs in the first process says that it is an old one; the second is started without. */
const OLD =
  "data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })";

const LIBRARY = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
const APPLICATION = `
import { application, route } from ${JSON.stringify(LIBRARY)};
export default application({ routes: [route('GET /', () => new Response(String(process.pid)))] });
`;

const skip = !existsSync(BESIDE) && 'no Node.js is installed beside the command';

test('signals to the process that was started reach the server', { skip, timeout: 90_000 }, async () => {
  using directory = temporaryDirectory();
  const application = join(directory.path, 'app.ts');
  writeFileSync(application, APPLICATION);
  const serve = ['serve', application, '--memory', '--listen', '127.0.0.1:0', '--pg-listen', 'off'];
  const child = spawn(process.execPath, ['--import', OLD, BIN, ...serve], {
    cwd: directory.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(text);
      if (found !== null) return found;
      const came = Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]);
      const [code] = await Promise.race([came.then(() => [undefined] as const), ended]);
      if (code !== undefined) throw new Error(`it ended before it said ${String(pattern)}:\n${text}`);
    }
  };
  try {
    const [url] = await says(/http:\/\/127\.0\.0\.1:\d+/);
    const server = await (await fetch(url)).text();
    assert.match(server, /^\d+$/);
    assert.notEqual(server, String(child.pid));
    // Neither ends a server, which both would without a listener for them: the embedded engine has no successor, and says so.
    child.kill('SIGHUP');
    child.kill('SIGUSR2');
    await says(/this process goes on serving/);
    assert.equal(await (await fetch(url)).text(), server);
    child.kill('SIGTERM');
    await says(/SIGTERM: finishing what runs/);
    assert.deepEqual(await ended, [0, null]);
    await assert.rejects(fetch(url));
  } finally {
    child.kill('SIGTERM');
  }
});
