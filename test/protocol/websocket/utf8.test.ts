// Text is UTF-8, and is refused at the first byte with which it no longer can be (RFC 6455 §8.1, RFC 3629).
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Utf8Checker } from '../../../src/protocol/websocket/utf8-checker.ts';
import { BINARY, fragments, frame, TEXT } from './client-frames.ts';
import { assertFaultAtLastByte, assertHeard, hear } from './receiving.ts';

const FAULT = 'fault 1007 text-not-utf8';

describe('valid text is delivered as it is', () => {
  const texts = [
    'κόσμε',
    '\u0000\u007f',
    '\u0080\u07ff',
    '\u0800\ud7ff\ue000\uffff',
    '\ufeff with a byte order mark',
    '𐀀\u{10ffff}',
    '\ufffe\uffff non-characters',
    `${'a'.repeat(200)}é`,
    'é𝄞€'.repeat(60),
  ];
  for (const text of texts) {
    test(JSON.stringify(text).slice(0, 40), () => {
      assertHeard(frame(TEXT, text), [`text ${text}`]);
      const bytes = Buffer.from(text);
      for (let i = 0; i <= bytes.length; i += 3) {
        const payloads = [bytes.subarray(0, i), bytes.subarray(i)];
        assertHeard(Buffer.concat(fragments(TEXT, payloads)), [`text ${text}`]);
      }
    });
  }
});

describe('a byte that no text has there fails at once, before the message ends (RFC 6455 §8.1)', () => {
  const bad: Record<string, number[]> = {
    'a continuation byte first': [0x80],
    'the highest continuation byte first': [0xbf],
    C0: [0xc0],
    C1: [0xc1],
    F5: [0xf5],
    FE: [0xfe],
    FF: [0xff],
    'a lead after a lead': [0xc3, 0xc3],
    'ASCII inside a character of two bytes': [0xc3, 0x41],
    'ASCII inside a character of three bytes': [0xe2, 0x82, 0x41],
    'ASCII inside a character of four bytes': [0xf0, 0x9d, 0x84, 0x41],
    'an overlong form of three bytes': [0xe0, 0x9f],
    'an overlong form of four bytes': [0xf0, 0x8f],
    'a surrogate': [0xed, 0xa0],
    'the last surrogate': [0xed, 0xbf],
    'above U+10FFFF': [0xf4, 0x90],
  };
  for (const [name, bytes] of Object.entries(bad)) {
    for (const before of ['', 'abc', 'é'.repeat(80), 'x'.repeat(200)]) {
      test(`${name}, after ${Buffer.byteLength(before)} bytes`, () => {
        const payload = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from('and more')]);
        const whole = frame(TEXT, payload);
        const untilBad = whole.subarray(0, whole.length - 'and more'.length);
        assertFaultAtLastByte(untilBad, FAULT);
        const unfinished = frame(TEXT, payload, { isFinal: false });
        assertFaultAtLastByte(unfinished.subarray(0, untilBad.length), FAULT);
        assertHeard(whole, [FAULT]);
      });
    }
  }
});

test('a text that ends inside a character is refused with 1007 (RFC 6455 §5.6, §8.1)', () => {
  for (const end of [[0xc3], [0xe2], [0xe2, 0x82], [0xf0], [0xf0, 0x9d], [0xf0, 0x9d, 0x84]]) {
    for (const before of ['', 'x'.repeat(200)]) {
      const payload = Buffer.concat([Buffer.from(before), Buffer.from(end)]);
      assertFaultAtLastByte(frame(TEXT, payload), FAULT);
      assertHeard(Buffer.concat(fragments(TEXT, [payload, ''])), [FAULT]);
    }
  }
});

test('a character that is cut between fragments is whole again', () => {
  const [a, b] = [Buffer.of(0xe2), Buffer.of(0x82, 0xac)];
  assertHeard(Buffer.concat(fragments(TEXT, [a, b])), ['text €']);
  assertHeard(Buffer.concat(fragments(TEXT, [a, '', b, 'ascii'])), ['text €ascii']);
});

test('a bad byte in a later fragment fails although it is ASCII', () => {
  assertHeard(Buffer.concat(fragments(TEXT, [Buffer.of(0xe2), 'abc'])), [FAULT]);
});

test('binary messages may hold anything', () => {
  assertHeard(frame(BINARY, Buffer.of(0xff, 0xc0, 0x80)), ['binary ffc080']);
});

test('property: the checker agrees with node:buffer, however the bytes are cut', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => new Uint8Array(Buffer.from(text))),
    fc
      .array(fc.constantFrom(0x41, 0x80, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4), {
        maxLength: 9,
      })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(200), { maxLength: 4 }), (list, cuts) => {
      const whole = Buffer.from(list);
      const edges = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const checker = new Utf8Checker();
      const valid = edges.slice(1).every((edge, i) => checker.check(whole, edges[i] as number, edge));
      assert.equal(valid && !checker.isInside, isUtf8(whole));
    }),
    { numRuns: 2000 },
  );
});

test('property: every text arrives as it was sent', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 }).filter((s) => s.isWellFormed());
  fc.assert(
    fc.property(text, fc.nat(), (sent, at) => {
      const bytes = frame(TEXT, sent);
      const cut = at % bytes.length;
      assert.deepEqual(hear([bytes.subarray(0, cut), bytes.subarray(cut)]), [`text ${sent}`]);
    }),
  );
});
