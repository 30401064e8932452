// What the encoder knows of a field name: its index in the static table, how its values are represented, and the
// entries of the dynamic table that bear it. Not the encoding itself.
import { classifyName, FieldKind } from '../field-kind.ts';
import { STATIC_FIELDS } from './static.table.ts';

export const Representation = {
  /** Literals enter the dynamic table (RFC 7541 §6.2.1). */
  INDEXED: 0,
  /** Values that seldom come twice stay out of it (§6.2.2). */
  PLAIN: 1,
  /** Secrets: no intermediary may index them either (§6.2.3, §7.1.3). */
  NEVER: 2,
  /** Connection-specific fields are not sent over HTTP/2 (RFC 9113 §8.2.2). */
  DROPPED: 3,
  /** No field name. */
  BAD: 4,
} as const;
export type Representation = (typeof Representation)[keyof typeof Representation];

/** An entry of the encoder's dynamic table. */
export interface EncodedEntry {
  readonly owner: EncodedName;
  readonly value: string;
  /** How many entries were inserted before it. */
  readonly number: number;
  readonly size: number;
}

/** Names whose value the engine gives where the application does not, or instead of it. */
export const Role = { NONE: 0, DATE: 1, SERVER: 2, CONTENT_LENGTH: 3 } as const;
export type Role = (typeof Role)[keyof typeof Role];

const ROLES = new Map<string, Role>([
  ['date', Role.DATE],
  ['server', Role.SERVER],
  ['content-length', Role.CONTENT_LENGTH],
]);

export interface EncodedName {
  /** In lower case, as it goes on the wire. */
  readonly name: string;
  readonly representation: Representation;
  readonly role: Role;
  /** `:status`, `:path` and the like (RFC 9113 §8.3). */
  readonly isPseudo: boolean;
  /** Index of a static entry with this name, or 0. */
  readonly staticIndex: number;
  /** Static entries with a value: value and index in turn. */
  readonly staticValues: readonly (string | number)[];
  /** Living dynamic entries with this name, oldest first. */
  readonly entries: EncodedEntry[];
}

const PLAIN_NAMES = new Set([
  ':path',
  'age',
  'content-length',
  'content-location',
  'content-range',
  'etag',
  'last-modified',
  'location',
  'x-request-id',
]);
const SECRET_NAMES = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie']);

interface StaticName {
  readonly index: number;
  readonly values: (string | number)[];
}
const STATIC_NAMES = new Map<string, StaticName>();
for (let i = 0; i < STATIC_FIELDS.length; i += 2) {
  const name = STATIC_FIELDS[i] as string;
  const value = STATIC_FIELDS[i + 1] as string;
  const index = i / 2 + 1;
  const known = STATIC_NAMES.get(name) ?? { index, values: [] };
  if (value !== '') known.values.push(value, index);
  STATIC_NAMES.set(name, known);
}

/** `name` must be in lower case already; names that are none get the representation BAD. */
export function describeName(name: string): EncodedName {
  const known = STATIC_NAMES.get(name);
  return {
    name,
    representation: chooseRepresentation(name),
    role: ROLES.get(name) ?? Role.NONE,
    isPseudo: name.startsWith(':'),
    staticIndex: known === undefined ? 0 : known.index,
    staticValues: known === undefined ? [] : known.values,
    entries: [],
  };
}

function chooseRepresentation(name: string): Representation {
  const kind = classifyName(name);
  if (kind === FieldKind.CONNECTION) return Representation.DROPPED;
  if (kind === FieldKind.BAD_NAME || (kind === FieldKind.BAD_PSEUDO && name !== ':status')) {
    return Representation.BAD;
  }
  if (SECRET_NAMES.has(name)) return Representation.NEVER;
  return PLAIN_NAMES.has(name) ? Representation.PLAIN : Representation.INDEXED;
}
