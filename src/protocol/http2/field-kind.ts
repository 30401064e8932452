// What a field name means to the head of a message (RFC 9113 §8.2, §8.3), as a small number, found once per name and
// kept beside the name in HPACK's tables. Not the checks of a whole head: see head-builder.ts.
import { isFieldValue, isToken } from '../http/grammar.ts';

export const FieldKind = {
  REGULAR: 0,
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  PROTOCOL: 5,
  /** A pseudo-field that no request has: `:status`, or unknown. */
  BAD_PSEUDO: 6,
  /** Fields about the connection, which HTTP/2 forbids (RFC 9113 §8.2.2). */
  CONNECTION: 7,
  TE: 8,
  CONTENT_LENGTH: 9,
  COOKIE: 10,
  HOST: 11,
  EXPECT: 12,
  PRIORITY: 13,
  /** Only a server may make it, so that what a client sends is dropped (RFC 9440). */
  CERTIFICATE: 14,
  /** The name is no lower-case token (RFC 9113 §8.2.1). */
  BAD_NAME: 15,
  /** The value holds octets that no value may hold (RFC 9113 §8.2.1). */
  BAD_VALUE: 16,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/** A field line with what HPACK and the head's checks need to know of it. Shared: never changed. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** Kind of the name, or BAD_VALUE. */
  readonly kind: FieldKind;
  /** Kind of the name alone, for literals that refer to it. */
  readonly nameKind: FieldKind;
  /** Size in HPACK's table and in MAX_HEADER_LIST_SIZE: octets and 32 (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  readonly size: number;
}

export const FIELD_OVERHEAD = 32;
const SP = 0x20;

const KINDS = new Map<string, FieldKind>([
  [':method', FieldKind.METHOD],
  [':scheme', FieldKind.SCHEME],
  [':authority', FieldKind.AUTHORITY],
  [':path', FieldKind.PATH],
  [':protocol', FieldKind.PROTOCOL],
  ['connection', FieldKind.CONNECTION],
  ['keep-alive', FieldKind.CONNECTION],
  ['proxy-connection', FieldKind.CONNECTION],
  ['transfer-encoding', FieldKind.CONNECTION],
  ['upgrade', FieldKind.CONNECTION],
  ['te', FieldKind.TE],
  ['content-length', FieldKind.CONTENT_LENGTH],
  ['cookie', FieldKind.COOKIE],
  ['host', FieldKind.HOST],
  ['expect', FieldKind.EXPECT],
  ['priority', FieldKind.PRIORITY],
  ['client-cert', FieldKind.CERTIFICATE],
  ['client-cert-chain', FieldKind.CERTIFICATE],
]);

const UPPER_CASE = /[A-Z]/;

export function classifyName(name: string): FieldKind {
  const known = KINDS.get(name);
  if (known !== undefined) return known;
  if (name.charCodeAt(0) === 0x3a) return FieldKind.BAD_PSEUDO;
  return isToken(name) && !UPPER_CASE.test(name) ? FieldKind.REGULAR : FieldKind.BAD_NAME;
}

/** Whether `value` may stand in a field line: no controls but tab, no space or tab at either end (RFC 9113 §8.2.1). */
export function isTrimmedValue(value: string): boolean {
  const length = value.length;
  if (length === 0) return true;
  return value.charCodeAt(0) > SP && value.charCodeAt(length - 1) > SP && isFieldValue(value);
}

export function makeField(name: string, value: string, nameKind: FieldKind): HeaderField {
  return {
    name,
    value,
    kind: isTrimmedValue(value) ? nameKind : FieldKind.BAD_VALUE,
    nameKind,
    size: name.length + value.length + FIELD_OVERHEAD,
  };
}
