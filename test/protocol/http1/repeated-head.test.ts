// Responses whose heads repeat: what is sent does not depend on what was sent before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import { type Answered, Http1Sender } from '../../../src/protocol/http1/sender.ts';
import { DATE, GET, OLD, whole } from './responses.ts';

const text = (length: number, head: readonly string[]): string =>
  [...head, `content-length: ${length}`, '', 'x'.repeat(length)].join('\r\n');

test('each of several responses with one head has the length of its own body, as text and as bytes', () => {
  const head = ['HTTP/1.1 200 OK', `date: ${DATE}`, 'server: s', 'a: b'];
  const send = (body: Buffer | string): string => whole(body, { fields: ['a', 'b'], server: 's' }).text;
  for (const length of [3, 3, 0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 4096, 4097, 16_385, 123_456, 7]) {
    assert.equal(send('x'.repeat(length)), text(length, head));
    assert.equal(send(Buffer.alloc(length, 'x')), text(length, head));
  }
  for (let i = 0; i < 3; i++) assert.ok(send('ä€').endsWith('content-length: 5\r\n\r\n\xc3\xa4\xe2\x82\xac'));
});

test('a head of any size is sent as often as it is asked for', () => {
  for (const size of [1, 1900, 1990, 2048, 2100, 16_384, 70_000]) {
    const value = '\xff'.repeat(size);
    const head = ['HTTP/1.1 200 OK', `date: ${DATE}`, `x: ${value}`];
    for (let i = 0; i < 4; i++) assert.equal(whole('xx', { fields: ['x', value] }).text, text(2, head));
  }
});

test('what differs between two responses is sent as it is in each', () => {
  const requests: Record<string, NonNullable<Answered>> = {
    '': GET,
    'connection: keep-alive\r\n': OLD,
    'connection: close\r\n': { ...GET, keepAlive: false },
  };
  const response = fc.record({
    connection: fc.constantFrom(...Object.keys(requests)),
    status: fc.constantFrom(200, 201, 404),
    fields: fc.constantFrom([], ['a', '1'], ['a', '2'], ['b', '1'], ['a', '1', 'a', '2']),
    date: fc.constantFrom(DATE, 'Mon, 07 Nov 1994 08:49:37 GMT'),
    ownDate: fc.boolean(),
    server: fc.constantFrom(null, 's'),
    length: fc.constantFrom(0, 5, 12),
  });
  const reasons: Record<number, string> = { 200: 'OK', 201: 'Created', 404: 'Not Found' };
  fc.assert(
    fc.property(fc.array(response, { minLength: 1, maxLength: 30 }), (responses) => {
      const out = new ByteWriter();
      const sender = new Http1Sender();
      for (const { connection, status, fields, date, ownDate, server, length } of responses) {
        const all = ownDate ? [...fields, 'Date', 'mine'] : fields;
        const request = requests[connection] ?? null;
        sender.sendResponse(out, request, status, all, 'x'.repeat(length), true, date, server);
        let expected = `HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\n${ownDate ? '' : `date: ${date}\r\n`}`;
        expected += `${server === null ? '' : 'server: s\r\n'}${connection}`;
        for (let i = 0; i < all.length; i += 2) expected += `${all[i] ?? ''}: ${all[i + 1] ?? ''}\r\n`;
        expected += `content-length: ${length}\r\n\r\n${'x'.repeat(length)}`;
        assert.equal(out.take()?.toString('latin1'), expected);
      }
    }),
  );
});
