// The shared grammar: byte classes, tokens, values, numbers, authorities, and which fields are for one hop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isConnectionField,
  isForbiddenInTrailers,
  namesInConnection,
} from '../../../src/protocol/http/connection-fields.ts';
import { getField, getFieldValues, hasField, NO_FIELDS } from '../../../src/protocol/http/field-lines.ts';
import {
  BYTE_CLASS,
  FIELD_VALUE,
  isAuthority,
  isFieldValue,
  isToken,
  parseDecimal,
  TOKEN,
} from '../../../src/protocol/http/grammar.ts';
import { sliceLatin1, writeLatin1 } from '../../../src/protocol/http/latin1.ts';
import { STATUS_REASONS } from '../../../src/protocol/http/status-reasons.ts';

test('the bytes of a token are those of RFC 9110 §5.6.2', () => {
  for (let byte = 0; byte < 256; byte++) {
    const isTchar = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(byte));
    assert.equal(((BYTE_CLASS[byte] ?? 0) & TOKEN) !== 0, isTchar, String(byte));
  }
});

test('the bytes of a field value are those of RFC 9110 §5.5', () => {
  for (let byte = 0; byte < 256; byte++) {
    const isValue = byte === 9 || (byte >= 32 && byte !== 127);
    assert.equal(((BYTE_CLASS[byte] ?? 0) & FIELD_VALUE) !== 0, isValue, String(byte));
  }
});

test('isToken', () => {
  assert.deepEqual(['a', 'Content-Type', '', 'a b', 'ä', '\u0141'].map(isToken), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('isFieldValue', () => {
  assert.deepEqual(['', 'a\tb ', '\xff', '\u0100', 'a\n', '\0'].map(isFieldValue), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('parseDecimal takes digits only, and no number that is not exact', () => {
  assert.deepEqual(['0', '007', '9007199254740991'].map(parseDecimal), [0, 7, Number.MAX_SAFE_INTEGER]);
  for (const text of ['', ' 1', '1 ', '-1', '+1', '1.0', '1e1', '0x1', '9007199254740992', '1'.repeat(400)]) {
    assert.equal(parseDecimal(text), null);
  }
});

test('isAuthority wants a host', () => {
  assert.deepEqual(['a', 'a:1', '[::]', 'a:'].map(isAuthority), [true, true, true, true]);
  assert.deepEqual(['', ':1', 'a:65536', 'a:1x', '[::', '[:]', '%4', 'a b', 'u@a'].filter(isAuthority), []);
});

test('fields for one hop are known, trailer is not one of them', () => {
  const names = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'];
  assert.deepEqual(
    names.filter((name) => !isConnectionField(name)),
    [],
  );
  assert.deepEqual(['trailer', 'content-length', 'host'].filter(isConnectionField), []);
});

test('the names in all Connection fields are collected, empty elements are not', () => {
  assert.deepEqual(
    [...namesInConnection(['connection', 'A, b,,', 'x', 'y', 'connection', ' C '])],
    ['a', 'b', 'c'],
  );
  assert.deepEqual([...namesInConnection(['x', 'connection'])], []);
});

test('what would change how the head was read is forbidden in trailers', () => {
  for (const name of [
    'content-length',
    'content-anything',
    'host',
    'authorization',
    'transfer-encoding',
    'set-cookie',
  ]) {
    assert.equal(isForbiddenInTrailers(name), true);
  }
  for (const name of ['x-sum', 'server-timing', 'grpc-status', 'digest'])
    assert.equal(isForbiddenInTrailers(name), false);
});

test('field lines are looked up by lower-case name', () => {
  const lines = ['a', '1', 'b', '2', 'a', '3', '2', 'x'];
  assert.deepEqual(
    [getField(lines, 'a'), getField(lines, '1'), getField(NO_FIELDS, 'a')],
    ['1', undefined, undefined],
  );
  assert.deepEqual([getFieldValues(lines, 'a'), getFieldValues(lines, '3')], [['1', '3'], []]);
  assert.deepEqual([hasField(lines, 'b'), hasField(lines, '1')], [true, false]);
});

test('latin1 is one byte for one character', () => {
  const bytes = Buffer.alloc(6);
  assert.equal(writeLatin1(bytes, 'aé\xff', 2), 3);
  assert.equal(bytes.toString('hex'), '000061e9ff00');
  assert.equal(sliceLatin1(bytes, 2, 5), 'aé\xff');
});

test('reasons are field values of the statuses that have one', () => {
  for (const [status, reason] of Object.entries(STATUS_REASONS)) {
    assert.match(status, /^[1-5]\d\d$/);
    assert.ok(reason !== '' && isFieldValue(reason));
  }
});
