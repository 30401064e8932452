// Conversations with node:http2's client (nghttp2), over an in-memory pair: interoperability, and HPACK in both directions
// with random header lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NodeClient } from './node-client.ts';
import type { Fetched } from './node-client.ts';

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 0xff;
  return bytes;
}

test('requests and responses, many at once', async () => {
  const node = new NodeClient();
  node.onRequest = ({ stream, head }) => {
    node.connection.sendResponse(
      stream,
      200,
      ['x-path', head.path],
      `you asked for ${head.path}`,
      '',
      'howdah',
    );
  };
  const paths = Array.from({ length: 90 }, (_, i) => `/path/${i}`);
  const answers = await Promise.all(paths.map((path) => node.fetch({ ':path': path })));
  for (const [i, { headers, body }] of answers.entries()) {
    assert.equal(headers[':status'], 200);
    assert.equal(headers['x-path'], paths[i]);
    assert.equal(body.toString(), `you asked for ${paths[i]}`);
  }
  await node.close();
  assert.deepEqual(node.faults, []);
  assert.equal(node.connection.streamCount, 0);
});

for (const windowSize of [65_535, 1, 1_000_000]) {
  test(`large bodies both ways, with a window of ${windowSize}`, async () => {
    const node = new NodeClient({}, { initialWindowSize: windowSize });
    const size = windowSize === 1 ? 200 : 3_000_000;
    const sent = pattern(size);
    node.onRequest = ({ stream, body }) => {
      assert.ok(body.equals(sent));
      node.connection.sendHead(stream, 200, [], size, '', null);
      for (let at = 0; at < size; at += 70_000) {
        node.connection.sendData(stream, body.subarray(at, at + 70_000), at + 70_000 >= size);
      }
    };
    const post = { ':method': 'POST', ':path': '/' };
    const answers = await Promise.all([
      node.fetch(post, sent),
      node.fetch(post, sent),
      node.fetch(post, sent),
    ]);
    for (const { body } of answers) assert.ok(body.equals(sent));
    await node.close();
    assert.deepEqual(node.faults, []);
    assert.equal(node.connection.queuedBytes, 0);
  });
}

test('a changed window in the middle of a body', async () => {
  const node = new NodeClient({}, { initialWindowSize: 10 });
  const sent = pattern(100_000);
  node.onRequest = ({ stream }) => {
    node.connection.sendResponse(stream, 200, [], sent, '', null);
    node.client.settings({ initialWindowSize: 0 });
    node.client.settings({ initialWindowSize: 200_000 });
  };
  const { body } = await node.fetch({ ':path': '/' });
  assert.ok(body.equals(sent));
  await node.close();
});

test('trailers both ways, informational responses, HEAD and 204', async () => {
  const node = new NodeClient();
  node.onRequest = ({ stream, head, body, trailers }) => {
    const { connection } = node;
    if (head.method === 'HEAD') connection.sendResponse(stream, 200, ['etag', '"a"'], 'not sent', '', null);
    else if (!head.hasBody) connection.sendResponse(stream, 204, [], null, '', null);
    else {
      assert.deepEqual(trailers, ['x-sum', '7']);
      connection.sendInform(stream, 103, ['link', '</style.css>; rel=preload']);
      connection.sendHead(stream, 200, [], null, '', null);
      connection.sendData(stream, body, false);
      connection.sendEnd(stream, ['x-sum', '8']);
    }
  };
  const post = { ':method': 'POST', ':path': '/' };
  const answer = await node.fetch(post, Buffer.from('body'), { 'x-sum': '7' });
  assert.equal(answer.informational[0]?.['link'], '</style.css>; rel=preload');
  assert.equal(answer.body.toString(), 'body');
  assert.equal(answer.trailers['x-sum'], '8');
  const head = await node.fetch({ ':method': 'HEAD', ':path': '/' });
  assert.deepEqual([head.headers['content-length'], head.headers.etag, head.body.length], ['8', '"a"', 0]);
  assert.equal((await node.fetch({ ':path': '/' })).headers[':status'], 204);
  await node.close();
  assert.deepEqual(node.faults, []);
});

test('100-continue is asked for and given', async () => {
  const node = new NodeClient();
  node.onHead = (stream, head) => {
    assert.equal(head.expectContinue, true);
    node.connection.sendInform(stream, 100, []);
    node.flushSoon();
  };
  node.onRequest = ({ stream, body }) => void node.connection.sendResponse(stream, 200, [], body, '', null);
  const request = node.client.request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
  await new Promise<void>((resolve) => request.once('continue', resolve));
  request.end('after that');
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  assert.equal(Buffer.concat(pieces).toString(), 'after that');
  await node.close();
});

test('a push is taken, and one that is not wanted is not sent', async () => {
  const pushed = (node: NodeClient, accepted: boolean): Promise<Fetched> => {
    node.onRequest = ({ stream }) => {
      const push = node.connection.sendPush(stream, {
        method: 'GET',
        scheme: 'http',
        authority: 'example.org',
        path: '/style.css',
        fields: ['accept', 'text/css'],
      });
      assert.equal(push !== null, accepted);
      if (push !== null && 'id' in push) node.connection.sendResponse(push, 200, [], 'css', '', null);
      node.connection.sendResponse(stream, 200, [], 'page', '', null);
    };
    return node.fetch({ ':path': '/' });
  };
  const taking = new NodeClient();
  const css = new Promise<string>((resolve) => {
    taking.client.on('stream', (stream, headers) => {
      assert.equal(headers[':path'], '/style.css');
      stream.on('data', (piece: Buffer) => resolve(piece.toString()));
    });
  });
  assert.equal((await pushed(taking, true)).body.toString(), 'page');
  assert.equal(await css, 'css');
  await taking.close();
  const refusing = new NodeClient({}, { enablePush: false });
  assert.equal((await pushed(refusing, false)).body.toString(), 'page');
  await refusing.close();
});

test('a client that cancels is told of, and the others go on', async () => {
  const node = new NodeClient();
  const waiting = new Promise<void>((resolve) => {
    node.onHead = (_stream, head) => head.path === '/slow' && resolve();
  });
  node.onRequest = ({ stream, head }) => {
    if (head.path !== '/slow') node.connection.sendResponse(stream, 200, [], 'quick', '', null);
  };
  const slow = node.client.request({ ':path': '/slow' });
  const closed = new Promise((resolve) => slow.once('close', resolve));
  await waiting;
  slow.close(8);
  await closed;
  assert.equal((await node.fetch({ ':path': '/quick' })).body.toString(), 'quick');
  assert.deepEqual(node.resets, [[1, 8]]);
  await node.close();
});

test('a stream error of ours reaches the client as its code', async () => {
  const node = new NodeClient();
  node.onRequest = ({ stream }) => node.connection.sendReset(stream, 2);
  await assert.rejects(node.fetch({ ':path': '/' }), /NGHTTP2_INTERNAL_ERROR/);
  await node.close();
});

test('a drain lets what is open finish, and the client go', async () => {
  const node = new NodeClient();
  const goaways: number[] = [];
  node.client.on('goaway', (code) => goaways.push(code));
  node.onRequest = ({ stream }) => {
    node.connection.drain();
    node.connection.sendResponse(stream, 200, [], 'last', '', null);
  };
  const closed = new Promise((resolve) => node.client.once('close', resolve));
  assert.equal((await node.fetch({ ':path': '/' })).body.toString(), 'last');
  await closed;
  assert.deepEqual(goaways.at(-1), 0);
  assert.deepEqual(node.faults, []);
});

test('an extended CONNECT carries octets both ways (RFC 8441)', async () => {
  const node = new NodeClient();
  await new Promise((resolve) => node.client.once('remoteSettings', resolve));
  assert.equal(node.client.remoteSettings.enableConnectProtocol, true);
  node.onHead = (stream, head) => {
    assert.equal(head.protocol, 'websocket');
    node.connection.sendHead(stream, 200, [], null, '', null);
    node.connection.sendData(stream, 'greetings', false);
    node.flushSoon();
  };
  node.onRequest = ({ stream, body }) => void node.connection.sendData(stream, body, true);
  const request = node.client.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws' });
  const pieces: string[] = [];
  request.on('data', (piece: Buffer) => {
    pieces.push(piece.toString());
    if (pieces.length === 1) request.end('echo');
  });
  await new Promise((resolve) => request.once('close', resolve));
  assert.deepEqual(pieces, ['greetings', 'echo']);
  await node.close();
});

// --- HPACK against nghttp2's ---
const NAMES = [
  'accept',
  'user-agent',
  'x-a',
  'x-b',
  'x-long-name-that-is-seldom-seen',
  'cache-control',
  'referer',
];
/** Characters of any Huffman length that a value may have: visible ASCII, inner spaces, and latin1. */
const VALUE = fc
  .array(fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0xa1, max: 0xff })), {
    maxLength: 60,
  })
  .map((codes) => String.fromCharCode(...codes));
const FIELD = fc.tuple(
  fc.oneof(fc.constantFrom(...NAMES), fc.stringMatching(/^x-[a-z0-9_.-]{1,12}$/)),
  fc.oneof(VALUE, fc.constantFrom('', 'a', 'gzip, deflate', 'v'.repeat(2000))),
);
/** Each name once: node joins repeated ones. */
const FIELDS = fc.uniqueArray(FIELD, { selector: ([name]) => name, maxLength: 12 });

for (const tableSize of [4096, 0, 200]) {
  test(`random header lists survive both ways, with tables of ${tableSize} (RFC 7541)`, async () => {
    const options = { maxDecodeTableBytes: tableSize, maxEncodeTableBytes: 4096, cancelBudget: 1e6 };
    const node = new NodeClient(options, { headerTableSize: tableSize });
    await fc.assert(
      fc.asyncProperty(FIELDS, FIELDS, async (request, response) => {
        let received: readonly string[] = [];
        node.onRequest = ({ stream, head }) => {
          received = head.fields;
          node.connection.sendResponse(stream, 200, response.flat(), null, '', null);
        };
        // node:http2 writes values as latin1 and reads them so.
        const { headers } = await node.fetch({ ':path': '/', ...Object.fromEntries(request) });
        const { ':status': status, ...fields } = headers;
        assert.equal(status, 200);
        // Entries: without node's symbol of sensitive names.
        assert.deepEqual(new Map(Object.entries(fields)), new Map(response));
        const lines = new Map<string, string>();
        for (let i = 0; i < received.length; i += 2) lines.set(received[i] ?? '', received[i + 1] ?? '');
        lines.delete('host');
        assert.deepEqual(lines, new Map(request));
      }),
      { numRuns: 150 },
    );
    await node.close();
    assert.deepEqual(node.faults, []);
  });
}

test('every octet that a value may have is coded as nghttp2 codes it, both ways (RFC 7541 Appendix B)', async () => {
  const node = new NodeClient();
  const octets = Array.from({ length: 256 }, (_, i) => i).filter((i) => i > 0x20 && i !== 0x7f);
  for (const octet of octets) {
    // Repeated, so that Huffman coding is worth it where it ever is.
    const value = String.fromCharCode(octet).repeat(5) + 'aeiost'.repeat(6);
    node.onRequest = ({ stream, head }) => {
      assert.equal(head.fields[1], value);
      node.connection.sendResponse(stream, 200, ['x-back', value], null, '', null);
    };
    const { headers } = await node.fetch({ ':path': '/', 'x-there': value });
    assert.equal(headers['x-back'], value);
  }
  await node.close();
});
