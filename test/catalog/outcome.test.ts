// Decoding outcomes, and the rules of omni_httpd.md §9.1 for responses. Values are built here byte by byte, as the
// encoding is described at the type.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeOutcome, type Outcome } from '../../src/catalog/outcome.ts';

type Header = readonly [name: string | null, value: string | null] | null;

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string | null): Buffer {
  if (value === null) return int32(-1);
  return Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]);
}

function headerArray(headers: readonly Header[]): Buffer {
  const elements = headers.map((header) => {
    if (header === null) return int32(-1);
    const record = Buffer.concat([int32(2), int32(25), text(header[0]), int32(25), text(header[1])]);
    return Buffer.concat([int32(record.length), record]);
  });
  const dimensions = headers.length === 0 ? [] : [int32(headers.length), int32(1)];
  const head = [int32(headers.length === 0 ? 0 : 1), int32(0), int32(12345)];
  return Buffer.concat([...head, ...dimensions, ...elements]);
}

interface Parts {
  readonly status?: number | null;
  readonly headers?: readonly Header[] | null;
  readonly body?: string | null;
  /** What the body is; see the encoding. */
  readonly bodyKind?: number;
}

function response({ status = 200, headers = null, body = null, bodyKind = 1 }: Parts): Buffer {
  const head = Buffer.alloc(3);
  head.writeInt16BE(status ?? -0x8000, 1);
  const tail = body === null ? [] : [Buffer.from([bodyKind]), Buffer.from(body)];
  return Buffer.concat([head, headers === null ? int32(-1) : headerArray(headers), ...tail]);
}

function decoded(parts: Parts): {
  status: number;
  fields: readonly string[];
  body: string | null;
  warning: string | null;
} {
  const outcome = decodeOutcome(response(parts));
  assert.ok(outcome.kind === 'response', JSON.stringify(outcome));
  const { status, fields, body } = outcome.response;
  return {
    status,
    fields,
    body: body === null ? null : body.toString(),
    warning: outcome.warning?.detail ?? null,
  };
}

describe('outcomes', () => {
  test('null is 204 without a body', () => {
    const outcome = decodeOutcome(null);
    assert.ok(outcome.kind === 'response');
    assert.deepEqual(outcome.response, { status: 204, fields: [], body: null });
  });

  test('a null status is 200', () => {
    assert.equal(decoded({ status: null }).status, 200);
    assert.equal(decoded({ status: 503 }).status, 503);
  });

  test('a status that HTTP has not is refused', () => {
    for (const status of [-1, 0, 100, 199, 1000]) {
      assert.equal(decodeOutcome(response({ status })).kind, 'invalid', String(status));
    }
    for (const status of [200, 999]) assert.equal(decodeOutcome(response({ status })).kind, 'response');
  });

  test('a null body stays null, an empty one stays empty', () => {
    assert.equal(decoded({ body: null }).body, null);
    assert.equal(decoded({ body: '' }).body, '');
  });

  test('headers stay as they are, in order, several of one name too', () => {
    const { fields } = decoded({
      headers: [
        ['Set-Cookie', 'a=1'],
        ['X-Other', ''],
        ['Set-Cookie', 'b=2'],
      ],
    });
    assert.deepEqual(fields, ['Set-Cookie', 'a=1', 'X-Other', '', 'Set-Cookie', 'b=2']);
  });

  test('a header with a null name or a null value, or that is null itself, is left out', () => {
    const { fields } = decoded({ headers: [[null, 'a'], null, ['b', null], [null, null], ['c', 'd']] });
    assert.deepEqual(fields, ['c', 'd']);
  });

  test('a header that HTTP cannot say is named', () => {
    const reasonOf = (name: string, value: string): string => {
      const outcome = decodeOutcome(
        response({
          headers: [
            ['x', 'y'],
            [name, value],
          ],
        }),
      );
      return outcome.kind === 'invalid' ? outcome.reason : '';
    };
    for (const name of ['', 'a b', 'x:', 'naïve'])
      assert.match(reasonOf(name, '1'), /^the header ".*" cannot be sent: that is no name of a header$/);
    for (const value of ['1\r\nset-cookie: a=b', '\n', '\u007f', '\u0001'])
      assert.equal(
        reasonOf('x-a', value),
        'the header "x-a" cannot be sent: its value has a control character',
      );
  });

  test('no headers, an empty array and an array of nulls are the same', () => {
    for (const headers of [null, [], [null]]) assert.deepEqual(decoded({ headers, body: 'x' }).fields, []);
  });

  test('the bytes of a value in UTF-8 are sent as they are', () => {
    assert.deepEqual(decoded({ headers: [['x', 'ü']] }).fields, ['x', Buffer.from('ü').toString('latin1')]);
  });

  test('the content-type that the kind of the body asks for comes last', () => {
    const headers: Header[] = [['a', 'b']];
    assert.deepEqual(decoded({ headers, body: 'x', bodyKind: 2 }).fields.slice(2), [
      'content-type',
      'text/plain; charset=utf-8',
    ]);
    assert.deepEqual(decoded({ headers, body: 'x', bodyKind: 3 }).fields.slice(2), [
      'content-type',
      'application/octet-stream',
    ]);
    assert.deepEqual(decoded({ headers, body: 'x', bodyKind: 4 }).fields.slice(2), [
      'content-type',
      'application/json',
    ]);
    assert.deepEqual(decoded({ headers, body: 'x', bodyKind: 1 }).fields.slice(2), []);
  });

  test('a content-type of the handler, in any case and also a null one, keeps it from being added', () => {
    const own: Header[] = [['Content-Type', 'a/b']];
    assert.deepEqual(decoded({ headers: own, body: 'x', bodyKind: 2 }).fields, ['Content-Type', 'a/b']);
    assert.deepEqual(decoded({ headers: [['CONTENT-TYPE', null]], body: 'x', bodyKind: 2 }).fields, []);
    // A prefix of the name is another name.
    assert.equal(decoded({ headers: [['content', 'x']], body: 'x', bodyKind: 2 }).fields.length, 4);
  });

  test("a handler's content-length cuts the body and is not sent", () => {
    const { body, fields, warning } = decoded({ headers: [['Content-Length', '3']], body: 'abcdef' });
    assert.deepEqual({ body, fields, warning }, { body: 'abc', fields: [], warning: null });
  });

  test('a content-length that is too large is a warning; the body stays whole', () => {
    const { body, fields, warning } = decoded({ headers: [['content-length', '10']], body: 'abcdef' });
    assert.deepEqual({ body, fields }, { body: 'abcdef', fields: [] });
    assert.equal(warning, 'Content-Length is set at 10, but actual body is 6');
  });

  test('a content-length that is no number, or negative, counts as 0', () => {
    for (const value of ['x', '', '-5']) {
      assert.equal(decoded({ headers: [['content-length', value]], body: 'abc' }).body, '');
    }
  });

  test('a content-length without a body makes none', () => {
    assert.deepEqual(decoded({ headers: [['content-length', '5']] }).body, null);
  });

  test('abort and proxy are told apart', () => {
    assert.deepEqual(decodeOutcome(Buffer.from([1])), { kind: 'abort' });
    const proxy = (preserve: number): Outcome =>
      decodeOutcome(Buffer.concat([Buffer.from([2, preserve, 1]), Buffer.from('http://ü')]));
    assert.deepEqual(proxy(0), { kind: 'proxy', url: 'http://ü', preserveHost: false });
    assert.deepEqual(proxy(1), { kind: 'proxy', url: 'http://ü', preserveHost: true });
    assert.deepEqual(proxy(2), { kind: 'proxy', url: 'http://ü', preserveHost: true });
  });

  test('a proxy without a url is an abort', () => {
    assert.deepEqual(decodeOutcome(Buffer.from([2, 1])), { kind: 'abort' });
  });

  test('bytes that are no outcome are refused, wherever they end, and never throw', () => {
    const whole = response({ headers: [['name', 'value'], null, ['x', null]], body: 'text' });
    const bodyStart = whole.length - 'text'.length - 1;
    for (let length = 0; length < bodyStart; length++) {
      assert.equal(decodeOutcome(whole.subarray(0, length)).kind, 'invalid', String(length));
    }
    for (let length = bodyStart; length <= whole.length; length++) {
      assert.equal(decodeOutcome(whole.subarray(0, length)).kind, 'response', String(length));
    }
    for (const bytes of [[], [3], [2], [1, 0], [2, 0, 2], [0]]) {
      assert.equal(decodeOutcome(Buffer.from(bytes)).kind, 'invalid');
    }
    assert.equal(decodeOutcome(response({ body: 'x', bodyKind: 9 })).kind, 'invalid');
  });

  test('the body is a view, not a copy', () => {
    const bytes = response({ body: 'abc' });
    const outcome = decodeOutcome(bytes);
    assert.ok(outcome.kind === 'response' && Buffer.isBuffer(outcome.response.body));
    assert.equal(outcome.response.body.buffer, bytes.buffer);
  });
});
