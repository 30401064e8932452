// The opening handshake (RFC 6455 §4.2; over HTTP/2 RFC 8441 §5).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { FieldLines } from '../../../src/protocol/http/field-lines.ts';
import type { RequestHead } from '../../../src/protocol/http/request-head.ts';
import {
  acceptHandshake,
  chooseSubprotocol,
  type HandshakeOffer,
  isUpgradeToWebSocket,
  parseExtendedConnect,
  parseUpgrade,
} from '../../../src/protocol/websocket/handshake.ts';
import { DEFAULT_DEFLATE_POLICY } from '../../../src/protocol/websocket/permessage-deflate.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const sha1 = (text: string): string => createHash('sha1').update(text, 'latin1').digest('base64');

/** A valid request but for what is given: a field's value, or null for none, or several. */
function makeHead(
  fields: Record<string, string | null | string[]> = {},
  head: Partial<RequestHead> = {},
): RequestHead {
  const all: Record<string, string | null | string[]> = {
    host: 'example.com',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': KEY,
    'sec-websocket-version': '13',
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => {
    if (value === null) return [];
    return typeof value === 'string' ? [name, value] : value.flatMap((each) => [name, each]);
  });
  return {
    method: 'GET',
    authority: 'example.com',
    path: '/chat',
    query: null,
    version: '1.1',
    fields: lines,
    hasBody: false,
    contentLength: 0,
    expectContinue: false,
    ...head,
  };
}

function offerOf(head: RequestHead): HandshakeOffer {
  const offer = parseUpgrade(head);
  assert.equal(offer.kind, 'offer', JSON.stringify(offer));
  return offer;
}

function assertRefused(head: RequestHead, status: number, fields: FieldLines = []): void {
  const refusal = parseUpgrade(head);
  assert.equal(refusal.kind, 'refusal');
  if (refusal.kind !== 'refusal') return;
  assert.equal(refusal.status, status);
  assert.deepEqual(refusal.fields, fields);
  assert.notEqual(refusal.reason, '');
}

describe('a request asks for a WebSocket', () => {
  const yes: Record<string, string | string[]>[] = [
    {},
    { upgrade: 'WebSocket' },
    { upgrade: 'foo, websocket' },
    { upgrade: ['foo', 'WEBSOCKET'] },
    { connection: 'keep-alive, Upgrade' },
    { connection: ['keep-alive', 'upgrade'] },
  ];
  for (const fields of yes) {
    test(`with ${JSON.stringify(fields)}`, () => assert.equal(isUpgradeToWebSocket(makeHead(fields)), true));
  }
});

describe('a request does not ask for a WebSocket, and is served as any other', () => {
  const no: Record<string, string | null>[] = [
    { upgrade: null },
    { upgrade: 'h2c' },
    { upgrade: 'websocket2' },
    { upgrade: '' },
    { connection: null },
    { connection: 'keep-alive' },
    { connection: 'upgraded' },
  ];
  for (const fields of no) {
    test(`with ${JSON.stringify(fields)}`, () => assert.equal(isUpgradeToWebSocket(makeHead(fields)), false));
  }
  test('over HTTP/1.0 (RFC 9110 §7.8) and as a plain HTTP/2 request (RFC 9113 §8.2.2)', () => {
    assert.equal(isUpgradeToWebSocket(makeHead({}, { version: '1.0' })), false);
    assert.equal(isUpgradeToWebSocket(makeHead({}, { version: '2' })), false);
  });
});

describe('what is not a valid handshake is refused (RFC 6455 §4.2.1, §10.7)', () => {
  test('a method other than GET: 405', () => {
    assertRefused(makeHead({}, { method: 'POST' }), 405, ['allow', 'GET']);
  });
  test('a body: 400', () => assertRefused(makeHead({}, { hasBody: true }), 400));
  describe('another version, or none: 426 with the one that is spoken (RFC 6455 §4.4)', () => {
    const fields = ['upgrade', 'websocket', 'connection', 'upgrade', 'sec-websocket-version', '13'];
    for (const version of ['8', '14', '013', '', '13, 8', null]) {
      test(`${version}`, () => assertRefused(makeHead({ 'sec-websocket-version': version }), 426, fields));
    }
  });
  test('a repeated version: 400', () =>
    assertRefused(makeHead({ 'sec-websocket-version': ['13', '13'] }), 400));
  describe('a key that is not 16 bytes in base64, once: 400', () => {
    const keys: (string | null | string[])[] = [
      null,
      '',
      'dGhlIHNhbXBsZSBub25jZQ=',
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZQ===',
      'dGhlIHNhbXBsZSBub25jZR==',
      'dGhlIHNhbXBsZSBub25jZXM=',
      'dGhl!HNhbXBsZSBub25jZQ==',
      `${KEY}, ${KEY}`,
      [KEY, KEY],
    ];
    for (const key of keys)
      test(JSON.stringify(key), () => assertRefused(makeHead({ 'sec-websocket-key': key }), 400));
  });
  describe('subprotocols that are no list of different tokens: 400', () => {
    for (const names of ['a b', 'a, b, a', 'a; b', '"a"', 'a=1', 'é']) {
      test(names, () => assertRefused(makeHead({ 'sec-websocket-protocol': names }), 400));
    }
  });
  describe('extensions that break the grammar: 400 (RFC 6455 §9.1)', () => {
    const bad = [
      'a b',
      ';',
      '; a',
      'a;',
      'a; ;b',
      'a; b=',
      'a; b=;c',
      'a; b=c d',
      'a; b="c',
      'a; b=""',
      'a; b="c d"',
      'a; b="\\"',
      'a; b="c\\',
      'a; =c',
      '=a',
      'a/b',
      'a; b==c',
    ];
    for (const text of bad)
      test(text, () => assertRefused(makeHead({ 'sec-websocket-extensions': text }), 400));
  });
});

describe('a valid handshake is read (RFC 6455 §4.2.1)', () => {
  test('with nothing but what must be', () => {
    assert.deepEqual(offerOf(makeHead()), { kind: 'offer', key: KEY, subprotocols: [], extensions: [] });
  });
  test('with subprotocols in order, over several lines, empty elements left out', () => {
    const { subprotocols } = offerOf(makeHead({ 'sec-websocket-protocol': ['chat.v2 ,, chat', '\tsoap ,'] }));
    assert.deepEqual(subprotocols, ['chat.v2', 'chat', 'soap']);
  });
  test('with extensions and their parameters', () => {
    const text = ['a; b ; c=1;d = "2" , ,e', 'f;g="\\h\\i"; g'];
    assert.deepEqual(offerOf(makeHead({ 'sec-websocket-extensions': text })).extensions, [
      {
        name: 'a',
        parameters: [
          { name: 'b', value: null },
          { name: 'c', value: '1' },
          { name: 'd', value: '2' },
        ],
      },
      { name: 'e', parameters: [] },
      {
        name: 'f',
        parameters: [
          { name: 'g', value: 'hi' },
          { name: 'g', value: null },
        ],
      },
    ]);
  });
  test('with an empty list of extensions', () => {
    assert.deepEqual(offerOf(makeHead({ 'sec-websocket-extensions': ' , ' })).extensions, []);
  });
});

describe('the subprotocol', () => {
  test('is the first of the client that the server speaks', () => {
    assert.equal(chooseSubprotocol(['a', 'b', 'c'], ['c', 'b']), 'b');
    assert.equal(chooseSubprotocol(['a', 'b'], ['B', 'c']), null);
    assert.equal(chooseSubprotocol([], ['a']), null);
  });
  test('must be one that the client offered (RFC 6455 §4.2.2)', () => {
    const offer = offerOf(makeHead({ 'sec-websocket-protocol': 'chat' }));
    assert.throws(() => acceptHandshake(offer, 'soap', null, sha1), /did not offer/);
  });
});

describe('the head that accepts (RFC 6455 §4.2.2)', () => {
  test('of the example in RFC 6455 §1.3', () => {
    assert.deepEqual(acceptHandshake(offerOf(makeHead()), null, null, sha1), {
      status: 101,
      fields: [
        'upgrade',
        'websocket',
        'connection',
        'upgrade',
        'sec-websocket-accept',
        's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ],
      subprotocol: null,
      deflate: null,
    });
  });
  test('names the subprotocol and the extension that are used (RFC 6455 §4.2.2, §9.1)', () => {
    const head = makeHead({
      'sec-websocket-protocol': 'a, b',
      'sec-websocket-extensions': 'permessage-deflate',
    });
    const { fields, subprotocol, deflate } = acceptHandshake(
      offerOf(head),
      'b',
      DEFAULT_DEFLATE_POLICY,
      sha1,
    );
    assert.deepEqual(fields.slice(6), [
      'sec-websocket-protocol',
      'b',
      'sec-websocket-extensions',
      'permessage-deflate; server_max_window_bits=12',
    ]);
    assert.equal(subprotocol, 'b');
    assert.equal(deflate?.serverMaxWindowBits, 12);
  });
  test('names no subprotocol where none is chosen, whatever was offered (RFC 6455 §4.2.2)', () => {
    const offer = offerOf(makeHead({ 'sec-websocket-protocol': 'a, b' }));
    const { fields, subprotocol } = acceptHandshake(offer, null, null, sha1);
    assert.equal(subprotocol, null);
    assert.equal(fields.length, 6);
  });
  test('names no extension where none can be used (RFC 7692 §5.1)', () => {
    const head = makeHead({ 'sec-websocket-extensions': 'permessage-deflate; unknown, x-other' });
    const accepted = acceptHandshake(offerOf(head), null, DEFAULT_DEFLATE_POLICY, sha1);
    assert.equal(accepted.fields.length, 6);
    assert.equal(accepted.deflate, null);
  });
});

describe('over HTTP/2 (RFC 8441 §5)', () => {
  const connect = (fields: Record<string, string | null | string[]> = {}): RequestHead =>
    makeHead(
      { host: null, upgrade: null, connection: null, 'sec-websocket-key': null, ...fields },
      { method: 'CONNECT', version: '2' },
    );
  test('there is no key, and the answer is 200 without the fields of a connection', () => {
    const fields = { 'sec-websocket-protocol': 'chat', 'sec-websocket-extensions': 'permessage-deflate' };
    const offer = parseExtendedConnect(connect(fields));
    assert.equal(offer.kind, 'offer');
    const accepted = acceptHandshake(offer, 'chat', DEFAULT_DEFLATE_POLICY, () => {
      throw new Error('there is nothing to hash');
    });
    assert.equal(accepted.status, 200);
    assert.deepEqual(accepted.fields, [
      'sec-websocket-protocol',
      'chat',
      'sec-websocket-extensions',
      'permessage-deflate; server_max_window_bits=12',
    ]);
  });
  test('another version is refused with the one that is spoken', () => {
    for (const version of ['8', null, ['13', '13']]) {
      const refusal = parseExtendedConnect(connect({ 'sec-websocket-version': version }));
      assert.equal(refusal.kind, 'refusal');
      if (refusal.kind !== 'refusal') return;
      assert.equal(refusal.status, 400);
      assert.deepEqual(refusal.fields, ['sec-websocket-version', '13']);
    }
  });
  test('malformed lists are refused as over HTTP/1.1', () => {
    assert.equal(parseExtendedConnect(connect({ 'sec-websocket-protocol': 'a, a' })).kind, 'refusal');
  });
});
