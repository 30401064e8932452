// Files of directories that the operator allows: what is sent, and that nothing leads out of them (omni_httpd.md §14).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HowdahError } from '../../src/errors.ts';
import { LocalFiles, type LocalFile } from '../../src/web/local-files.ts';
import type { StreamedResponse } from '../../src/web/exchange.ts';
import { FakeExchange, type Answer, type RequestOptions } from '../catalog/fake-exchange.ts';

const LARGE = Buffer.alloc(700_000, 'large');

class StreamingExchange extends FakeExchange {
  streamed: StreamedResponse | null = null;

  override respondStreamed(response?: StreamedResponse): void {
    this.streamed = response ?? null;
  }
}

describe('files below a directory', () => {
  let root = '';
  let www = '';
  let files: LocalFiles;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'howdah-files-'));
    www = join(root, 'www');
    mkdirSync(join(www, 'sub/deeper'), { recursive: true });
    mkdirSync(join(www, 'list/ü "d" & <b>'), { recursive: true });
    mkdirSync(join(root, 'www-beside'));
    for (const [path, text] of Object.entries({
      'www/index.html': '<p>start',
      'www/test.json': '{"test": "passed"}',
      'www/sub/index.html': '<p>sub',
      'www/sub/deeper/x.txt': 'deeper',
      'www/list/b.txt': 'b',
      'www/list/a.txt': 'a',
      'www/name with %2e.bin': 'percent',
      'secret.txt': 'secret',
      'www-beside/secret.txt': 'secret',
    })) {
      writeFileSync(join(root, path), text);
    }
    writeFileSync(join(www, 'large.bin'), LARGE);
    symlinkSync('../secret.txt', join(www, 'link-out.txt'));
    symlinkSync('..', join(www, 'dir-out'));
    symlinkSync('loop', join(www, 'loop'));
    symlinkSync('test.json', join(www, 'link-in.json'));
    symlinkSync('www', join(root, 'current'));
    symlinkSync('/', join(root, 'everything'));
    files = new LocalFiles([www]);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const ask = async (
    path: string,
    more: Partial<LocalFile> = {},
    request: RequestOptions = {},
    from = files,
  ): Promise<Answer> => {
    const exchange = new StreamingExchange(request);
    const file = { mount: www, path, shownPath: path, listing: false, fields: [], ...more };
    await from.respond(exchange, file);
    const { streamed } = exchange;
    if (streamed === null) return exchange.answer;
    let body = '';
    for await (const chunk of streamed.body) body += Buffer.from(chunk).toString('latin1');
    return { kind: 'response', status: streamed.status, fields: streamed.fields, body };
  };
  const short = async (...args: Parameters<typeof ask>): Promise<string> => {
    const answer = await ask(...args);
    assert.ok(answer.kind === 'response');
    return answer.body === null ? String(answer.status) : `${answer.status} ${answer.body}`;
  };
  const tag = (content: string | Buffer): string => `"${createHash('sha256').update(content).digest('hex')}"`;

  test('are sent with type, tag and age', async () => {
    assert.deepEqual(await ask('/test.json'), {
      kind: 'response',
      status: 200,
      fields: [
        'content-type',
        'application/json',
        'accept-ranges',
        'bytes',
        'etag',
        tag('{"test": "passed"}'),
        'cache-control',
        'public, max-age=3600',
      ],
      body: '{"test": "passed"}',
    });
    assert.equal(await short('/link-in.json'), '200 {"test": "passed"}');
    assert.equal(await short('/name with %2e.bin'), '200 percent', 'a path is decoded once, by who gives it');
  });

  test('keep the headers that the handler gave', async () => {
    const answer = await ask('/test.json', { fields: ['Cache-Control', 'no-store', 'x-a', 'b'] });
    assert.ok(answer.kind === 'response');
    assert.deepEqual(answer.fields.slice(4, 8), ['cache-control', 'no-store', 'x-a', 'b']);
    assert.equal(answer.fields.filter((name) => name === 'cache-control').length, 1);
    const own = await ask(
      '/test.json',
      { fields: ['Content-Type', 'text/x', 'ETag', '"v1"'] },
      { fields: ['if-none-match', '"v1"'] },
    );
    assert.ok(own.kind === 'response');
    assert.equal(own.status, 304);
    assert.deepEqual(own.fields.slice(0, 2), ['content-type', 'text/x']);
    assert.ok(!own.fields.includes(tag('{"test": "passed"}')));
  });

  test('are not sent to who has them', async () => {
    const etag = tag('{"test": "passed"}');
    for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await ask('/test.json', {}, { fields: ['if-none-match', condition] });
      assert.ok(answer.kind === 'response');
      assert.deepEqual([answer.status, answer.body], [304, null], condition);
      assert.ok(answer.fields.includes(etag));
    }
    assert.match(await short('/test.json', {}, { fields: ['if-none-match', '"x"'] }), /^200/);
  });

  test('are sent in parts where a part is asked for, from memory as from the disk', async () => {
    for (const [path, content] of [
      ['/test.json', Buffer.from('{"test": "passed"}')],
      ['/large.bin', LARGE],
    ] as const) {
      const part = await ask(path, {}, { fields: ['range', 'bytes=2-5'] });
      assert.ok(part.kind === 'response');
      assert.deepEqual([part.status, part.body], [206, content.toString('latin1', 2, 6)]);
      assert.ok(part.fields.includes(`bytes 2-5/${content.length}`));
      assert.ok(part.fields.includes(tag(content)));
      const several = await ask(path, {}, { fields: ['range', 'bytes=0-1,-2'] });
      assert.ok(several.kind === 'response');
      assert.match(several.fields[1] ?? '', /^multipart\/byteranges/);
      assert.match(several.body ?? '', new RegExp(`content-range: bytes 0-1/${content.length}`));
      const beyond = await ask(path, {}, { fields: ['range', `bytes=${content.length}-`] });
      assert.ok(beyond.kind === 'response');
      assert.equal(beyond.status, 416);
      const changed = await short(path, {}, { fields: ['range', 'bytes=0-1', 'if-range', '"x"'] });
      assert.equal(changed, `200 ${content.toString('latin1')}`);
    }
    const other = await short('/test.json', {}, { fields: ['if-match', '"x"'] });
    assert.match(other, /^412/);
  });

  test('to HEAD are their fields alone, with the length that GET has', async () => {
    for (const path of ['/test.json', '/large.bin']) {
      const answer = await ask(path, {}, { method: 'HEAD' });
      assert.ok(answer.kind === 'response');
      assert.equal(answer.body, null);
      assert.ok(answer.fields.includes(path === '/large.bin' ? String(LARGE.length) : '18'), path);
    }
  });

  test('have another tag when their contents change', async () => {
    const path = join(www, 'changing.txt');
    writeFileSync(path, 'one');
    assert.equal(await short('/changing.txt', {}, { fields: ['if-none-match', tag('one')] }), '304');
    writeFileSync(`${path}.new`, 'two');
    utimesSync(`${path}.new`, 1, 1);
    renameSync(`${path}.new`, path);
    assert.equal(await short('/changing.txt', {}, { fields: ['if-none-match', tag('one')] }), '200 two');
  });

  test('are streamed where they are large, with their length', async () => {
    const answer = await ask('/large.bin');
    assert.ok(answer.kind === 'response');
    assert.equal(answer.body, LARGE.toString('latin1'));
    assert.deepEqual(answer.fields.slice(-2), ['content-length', String(LARGE.length)]);
    assert.ok(answer.fields.includes(tag(LARGE)));
    assert.equal(await short('/large.bin', {}, { fields: ['if-none-match', tag(LARGE)] }), '304');
  });

  test('stand for their directory as index.html', async () => {
    assert.equal(await short('/'), '200 <p>start');
    assert.equal(await short('/sub'), '200 <p>sub');
    assert.equal(await short('/sub/'), '200 <p>sub');
    const answer = await ask('/sub', { listing: true });
    assert.ok(answer.kind === 'response');
    assert.equal(answer.fields[1], 'text/html');
    assert.equal(await short('/list'), '404');
  });

  test('are listed where that is asked for, as links and in order', async () => {
    const answer = await ask('/list', { listing: true, shownPath: '/shown/' });
    assert.ok(answer.kind === 'response');
    assert.deepEqual(answer.fields, ['content-type', 'text/html']);
    assert.equal(
      answer.body,
      '<a href="/shown/a.txt">a.txt</a><br><a href="/shown/b.txt">b.txt</a><br>' +
        '<a href="/shown/%C3%BC%20%22d%22%20%26%20%3Cb%3E">&#252; &#34;d&#34; &#38; &#60;b&#62;</a>',
    );
    assert.equal(
      await short('/sub/deeper', { listing: true, shownPath: '/' }),
      '200 <a href="/x.txt">x.txt</a>',
    );
  });

  test('lead to nothing outside, whatever is asked for', async () => {
    for (const path of [
      '/../secret.txt',
      '/sub/../../secret.txt',
      '/../www-beside/secret.txt',
      '/link-out.txt',
      '/dir-out/secret.txt',
      '/dir-out',
      '/loop',
      '//etc/passwd/',
      '/%2e%2e/secret.txt',
      '/..\\secret.txt',
      '/test.json/',
      '/test.json/x',
      '/secret.txt\0.json',
      '/missing',
      `/${'x'.repeat(5000)}`,
    ]) {
      assert.equal(await short(path, { listing: true }), '404', path);
    }
  });

  test('are nothing but files: no sockets, no pipes', async () => {
    const socket = createServer().listen(join(www, 'socket'));
    try {
      await once(socket, 'listening');
      assert.equal(await short('/socket', { listing: true }), '404');
    } finally {
      socket.close();
    }
  });

  test('are of allowed directories only', async () => {
    const refused = (error: unknown): boolean =>
      error instanceof HowdahError && error.code === 'HOWDAH_DIRECTORY_NOT_ALLOWED';
    await assert.rejects(ask('/secret.txt', { mount: root }), refused);
    await assert.rejects(ask('/secret.txt', { mount: join(root, 'www-beside') }), refused);
    await assert.rejects(ask('/etc/passwd', { mount: join(root, 'everything') }), refused);
    await assert.rejects(ask('/', { mount: join(www, 'missing') }), refused);
    await assert.rejects(ask('/', {}, {}, new LocalFiles([])), refused);
    assert.equal(await short('/x.txt', { mount: join(www, 'sub/deeper') }), '200 deeper');
    assert.equal(await short('/test.json', { mount: join(root, 'current') }), '200 {"test": "passed"}');
    assert.equal(
      await short(
        '/secret.txt',
        { mount: root },
        {},
        new LocalFiles([join(root, 'missing'), join(root, 'everything')]),
      ),
      '200 secret',
    );
  });
});
