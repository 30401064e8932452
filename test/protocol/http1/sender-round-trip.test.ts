// What the sender writes, as an independent client reads it: node:http over a pair of in-memory streams.
import assert from 'node:assert/strict';
import { type IncomingMessage, request as clientRequest } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import type { FieldLines } from '../../../src/protocol/http/field-lines.ts';
import { DEFAULT_HTTP1_LIMITS } from '../../../src/protocol/http1/limits.ts';
import { type Http1Events, Http1Receiver } from '../../../src/protocol/http1/receiver.ts';
import { Http1Sender } from '../../../src/protocol/http1/sender.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

/** A stream whose far side is a receiver and a sender: `answer` writes the response to the first request. */
function connect(
  answer: (out: ByteWriter, sender: Http1Sender, head: Parameters<Http1Events['receiveHead']>[0]) => boolean,
): Duplex {
  const out = new ByteWriter();
  const events: Http1Events = {
    receiveHead(head) {
      const close = answer(out, new Http1Sender(), head);
      for (const piece of out.takeAll()) stream.push(piece);
      if (close) stream.push(null);
    },
    receiveData() {},
    receiveEnd() {},
    receiveFault(fault) {
      stream.destroy(new Error(fault.code));
    },
    receiveHttp2Preface() {},
  };
  const receiver = new Http1Receiver(DEFAULT_HTTP1_LIMITS, events);
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      receiver.receive(chunk);
      done();
    },
  });
  return stream;
}

async function exchange(
  method: string,
  stream: Duplex,
): Promise<{ response: IncomingMessage; body: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = clientRequest(
      { createConnection: () => stream, headers: { connection: 'keep-alive' }, method, host: 'a' },
      resolve,
    );
    request.on('error', reject);
    request.end();
  });
  let body = '';
  response.setEncoding('latin1');
  for await (const piece of response) body += String(piece);
  return { response, body };
}

const name = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_'.split('')), minLength: 1, maxLength: 20 })
  .map((text) => `x-${text}`);
const value = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  })
  .map((text) => text.replaceAll('\x7f', '').replace(/^[ \t]+|[ \t]+$/g, ''));
const fields = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => pairs.flat());
const status = fc.constantFrom(200, 201, 204, 205, 206, 299, 302, 304, 404, 500, 599);
const method = fc.constantFrom('GET', 'HEAD', 'DELETE');
const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });

/** Names and values of the response that begin with `x-`, in order. */
function sentFields(response: IncomingMessage): string[] {
  const { rawHeaders } = response;
  return rawHeaders.filter((_, i) => rawHeaders[i - (i % 2)]?.startsWith('x-'));
}

const hasBody = (method: string, status: number): boolean =>
  method !== 'HEAD' && ![204, 205, 304].includes(status);

test('node:http reads a whole response as it was meant', async () => {
  const body = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(method, status, fields, body, async (method, status, fields: FieldLines, body) => {
      const stream = connect((out, sender, head) => {
        const result = sender.sendResponse(out, head, status, fields, body, true, DATE, 'howdah');
        return result.ok && result.close;
      });
      const { response, body: received } = await exchange(method, stream);
      assert.equal(response.statusCode, status);
      assert.equal(response.headers.date, DATE);
      assert.deepEqual(sentFields(response), fields);
      const sent =
        hasBody(method, status) && body !== null ? Buffer.from(body as string).toString('latin1') : '';
      assert.equal(received, sent);
      assert.equal(response.complete, true);
    }),
    { numRuns: 150 },
  );
});

test('node:http reads a streamed response as it was meant, with its trailers', async () => {
  await fc.assert(
    fc.asyncProperty(
      method,
      status,
      fields,
      pieces,
      fc.boolean(),
      async (method, status, fields: FieldLines, pieces, counted) => {
        const whole = Buffer.concat(pieces);
        const stream = connect((out, sender, head) => {
          const contentLength = counted ? whole.length : null;
          sender.sendInform(out, 103, ['link', '</a>']);
          sender.sendHead(out, head, status, fields, { contentLength }, true, DATE, null);
          for (const piece of pieces) sender.sendData(out, piece);
          const result = sender.sendEnd(out, ['x-sum', '1']);
          return result.ok && result.close;
        });
        const { response, body } = await exchange(method, stream);
        assert.equal(response.statusCode, status);
        assert.deepEqual(sentFields(response), fields);
        assert.equal(body, hasBody(method, status) ? whole.toString('latin1') : '');
        assert.equal(response.complete, true);
        const hasTrailers = hasBody(method, status) && !counted;
        assert.deepEqual(response.rawTrailers, hasTrailers ? ['x-sum', '1'] : []);
      },
    ),
    { numRuns: 150 },
  );
});
