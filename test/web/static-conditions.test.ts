// staticFiles(): conditional requests and ranges.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filesOnDisk, get, large, LARGE, MODIFIED_TEXT, serve } from '../support/static-fixture.ts';

filesOnDisk();

describe('conditional requests (RFC 9110 §13)', () => {
  test('are answered with 304 or 412 without content', async () => {
    await using http = await serve({ cacheControl: 'max-age=60' });
    for (const path of ['a.txt', 'large.bin']) {
      const { headers } = await get(http, path);
      const etag = String(headers['etag']);
      const same = await get(http, path, `if-none-match: W/${etag}\r\n`);
      assert.deepEqual([same.status, same.body, same.headers['content-length']], [304, '', undefined]);
      assert.equal(same.headers['etag'], etag);
      assert.equal(same.headers['cache-control'], 'max-age=60');
      assert.equal((await get(http, path, 'if-none-match: "other"\r\n')).status, 200);
      assert.equal((await get(http, path, `if-modified-since: ${headers['last-modified']}\r\n`)).status, 304);
      assert.equal((await get(http, path, 'if-match: "other"\r\n')).status, 412);
      assert.equal((await get(http, path, `if-match: ${etag}\r\n`)).status, 200);
      assert.equal(
        (await get(http, path, 'if-unmodified-since: Mon, 01 Jan 2001 00:00:00 GMT\r\n')).status,
        412,
      );
    }
  });
});

describe('ranges (RFC 9110 §14)', () => {
  test('one is a 206 with its place', async () => {
    await using http = await serve();
    const part = await get(http, 'a.txt', 'range: bytes=7-\r\n');
    assert.deepEqual([part.status, part.body], [206, 'world']);
    assert.equal(part.headers['content-range'], 'bytes 7-11/12');
    assert.equal(part.headers['content-length'], '5');
    const last = await get(http, 'large.bin', 'range: bytes=-100000\r\n');
    assert.equal(last.headers['content-range'], `bytes ${LARGE - 100_000}-${LARGE - 1}/${LARGE}`);
    assert.ok(Buffer.from(last.body, 'latin1').equals(large.subarray(-100_000)));
  });

  test('several are multipart/byteranges', async () => {
    await using http = await serve();
    const { status, headers, body } = await get(http, 'a.txt', 'range: bytes=0-4,7-7\r\n');
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(String(headers['content-type']))?.[1];
    assert.equal(status, 206);
    assert.equal(headers['content-length'], String(body.length));
    const part = (range: string, text: string): string =>
      `\r\n--${boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes ${range}/12\r\n\r\n${text}`;
    assert.equal(body, `${part('0-4', 'hello')}${part('7-7', 'w')}\r\n--${boundary}--\r\n`);
    const large = await get(http, 'large.bin', 'range: bytes=0-9,1000000-1199999\r\n');
    assert.deepEqual([large.status, Number(large.headers['content-length'])], [206, large.body.length]);
    assert.ok(large.body.length > 200_010);
  });

  test('that cannot be met are a 416, those that are none are ignored', async () => {
    await using http = await serve();
    const beyond = await get(http, 'a.txt', 'range: bytes=12-\r\n');
    assert.deepEqual([beyond.status, beyond.headers['content-range'], beyond.body], [416, 'bytes */12', '']);
    for (const range of ['lines=1-2', 'bytes=5-2', 'bytes=a-b', 'bytes=0-5,3-9']) {
      assert.equal((await get(http, 'a.txt', `range: ${range}\r\n`)).status, 200, range);
    }
    assert.equal((await get(http, 'a.txt', 'range: bytes=0-1\r\n', 'HEAD')).status, 200);
  });

  test('apply where If-Range is met', async () => {
    await using http = await serve();
    const etag = String((await get(http, 'a.txt')).headers['etag']);
    const ask = async (validator: string): Promise<number> =>
      (await get(http, 'a.txt', `range: bytes=0-1\r\nif-range: ${validator}\r\n`)).status;
    assert.equal(await ask(etag), 206);
    assert.equal(await ask(MODIFIED_TEXT), 206);
    assert.equal(await ask(`W/${etag}`), 200);
    assert.equal(await ask('"other"'), 200);
    assert.equal(await ask('Tue, 02 Jan 2024 03:04:06 GMT'), 200);
  });
});
