// howdah dev, and the project that howdah init writes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { HowdahProcess, runHowdah, temporaryDirectory } from '../cli/howdah-process.ts';
import { get, RawClient } from '../support/http-fixture.ts';

const root = new URL('../..', import.meta.url).pathname;

test('howdah init writes a project whose own tests pass, and only into an empty directory', async () => {
  using directory = temporaryDirectory();
  const written = await runHowdah(['init', 'My Notes'], { cwd: directory.path });
  assert.equal(written.code, 0, written.err);
  const project = join(directory.path, 'My Notes');
  const { name, scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    name: string;
    scripts: Record<string, string>;
  };
  assert.equal(name, 'my-notes');
  assert.equal(scripts['dev'], 'howdah dev --sql sql app.ts');
  assert.ok(existsSync(join(project, '.gitignore')));

  // As after `npm install`: howdah is this very package.
  const resolver = join(directory.path, 'resolver.mjs');
  writeFileSync(
    resolver,
    `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) =>
  next(name === 'howdah' ? ${JSON.stringify(pathToFileURL(join(root, 'src/index.ts')).href)} : name, context) });`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tested = spawnSync(process.execPath, ['--import', resolver, '--test', '--test-reporter=tap'], {
    cwd: project,
    encoding: 'utf8',
    env,
  });
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.match(tested.stdout, /# pass 4/);

  const again = await runHowdah(['init', 'My Notes'], { cwd: directory.path });
  assert.equal(again.code, 1);
  assert.match(again.err, /My Notes is not empty/);
});

test('howdah dev follows SQL and modules, keeps connections, and shows what is wrong until it is put right', async () => {
  using directory = temporaryDirectory();
  const { path } = directory;
  const write = (name: string, text: string): void => writeFileSync(join(path, name), text);
  const handler = (
    text: string,
  ): string => `create or replace function from_sql(request omni_httpd.http_request)
    returns omni_httpd.http_outcome return omni_httpd.http_response('${text}');
    insert into omni_httpd.urlpattern_router (match, handler)
      values (omni_httpd.urlpattern('/sql'), 'from_sql'::regproc) on conflict do nothing;`;
  const module = (expression: string): string => `import { application, route } from 'howdah';
    import { text } from './text.ts';
    export default application({ routes: [route('GET /', () => new Response(${expression})),
      route('GET /listening', async (_request, { db }) => {
        const rows = await db\`select from listening\`;
        return new Response(String(rows.length));
      })] });`;
  // It runs before anything is served: a page that needs it would fail.
  write(
    '10-table.sql',
    'create table listening as select effective_port as port from omni_httpd.listeners where effective_port > 0;',
  );
  write('20-handler.sql', handler('first'));
  write('text.ts', "export const text: string = 'one';");
  write('app.ts', module('text'));

  const start = (): HowdahProcess =>
    new HowdahProcess(['dev', '--listen', '127.0.0.1:0', '--pg-listen', 'off', '--sql', '.', 'app.ts'], {
      cwd: path,
    });
  {
    await using dev = start();
    const [, url = ''] = await dev.prints(/^(http:\S+)/m);
    const said = async (target: string): Promise<string> => (await fetch(url + target)).text();
    const client = await RawClient.connect(Number(new URL(url).port));
    client.send(get('/'));
    await client.untilText('one');
    assert.equal(await said('/sql'), 'first');
    assert.equal(await said('/listening'), '0');

    // A module that the application imports.
    write('text.ts', "export const text: string = 'two';");
    await dev.prints(/loaded app\.ts/, 'err');
    client.send(get('/'));
    await client.untilText('two');

    // SQL, of which only the file that has changed runs again: the table would be in its own way.
    write('20-handler.sql', handler('second'));
    await dev.prints(/ran 20-handler\.sql\n(?:[^]*\n)?ran 20-handler\.sql/, 'err');
    assert.equal(await said('/sql'), 'second');

    // Errors of both kinds, in the terminal and in the page.
    write('app.ts', module('text +'));
    await dev.prints(/the application cannot be served/, 'err');
    const broken = await fetch(url);
    assert.equal(broken.status, 500);
    assert.equal(broken.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(await broken.text(), /app\.ts/);
    write('app.ts', module("text + '!'"));
    await dev.prints(/loaded app\.ts[^]*loaded app\.ts/, 'err');
    client.send(get('/'));
    await client.untilText('two!');
    write('20-handler.sql', 'selec 1');
    await dev.prints(/20-handler\.sql:1: syntax error/, 'err');
    assert.match(await said('/'), /syntax error[^]*selec 1\n +\^/);
    assert.doesNotMatch(await said('/'), / at .*\.ts:/);
    assert.doesNotMatch(dev.err, /SqlFailure/);
    write('20-handler.sql', handler('third'));
    await dev.prints(/(?:ran 20-handler\.sql[^]*){3}/, 'err');
    client.send(get('/'));
    await client.untilText('two!', 2);
    client.socket.destroy();
    dev.child.kill('SIGTERM');
    assert.equal((await dev.ended()).code, 0);
  }
  // Started again on the same data, nothing that is as it was runs again.
  await using dev = start();
  const [, url = ''] = await dev.prints(/^(http:\S+)/m);
  assert.doesNotMatch(dev.err, /ran /);
  assert.equal(await (await fetch(`${url}/sql`)).text(), 'third');
});
