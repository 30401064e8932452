// Values of JavaScript as parameters of statements, and the text of PostgreSQL's values as values of JavaScript. The rule is
// described at web/sql-client.ts.

/** A value that is to be sent as JSON, whatever it is: made by json(). */
export class JsonValue {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Has a value sent as JSON that would not be by itself: an array of scalars, a text, a number. */
export function json(value: unknown): JsonValue {
  return new JsonValue(value);
}

/** The text that PostgreSQL reads a parameter from; null for null. */
export function parameterText(value: unknown, index: number): string | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : objectText(value, index);
    case 'function':
    case 'symbol':
      break;
  }
  throw new TypeError(`parameter $${index + 1} is a ${typeof value}, which SQL has no value for`);
}

function objectText(value: object, index: number): string {
  if (value instanceof Date) return dateText(value, index);
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof JsonValue) return jsonText(value.value, index);
  if (Array.isArray(value)) return isArray(value) ? arrayText(value, index) : jsonText(value, index);
  return jsonText(value, index);
}

/** Whether it is one to SQL: of scalars, or of such arrays. */
function isArray(values: readonly unknown[]): boolean {
  return values.every((value) =>
    Array.isArray(value)
      ? isArray(value)
      : typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array,
  );
}

function arrayText(values: readonly unknown[], index: number): string {
  const items = values.map((value) => {
    if (Array.isArray(value)) return arrayText(value, index);
    const text = parameterText(value, index);
    return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}

function dateText(value: Date, index: number): string {
  if (Number.isNaN(value.getTime())) throw new TypeError(`parameter $${index + 1} is an invalid Date`);
  return value.toISOString();
}

function bytesText(value: Uint8Array): string {
  return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
}

function jsonText(value: unknown, index: number): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`parameter $${index + 1} has no JSON`);
  return text;
}

type Decoder = (text: string) => unknown;

const int8: Decoder = (text) => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
};

const bool: Decoder = (text) => text === 't';
const bytea: Decoder = (text) => Buffer.from(text.slice(2), 'hex');
const jsonValue: Decoder = (text) => JSON.parse(text) as unknown;

const TIMESTAMPTZ = /^(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)(:?\d\d)?(?::\d\d)?$/;

/** What no Date can be (infinity, years before Christ) stays text. */
const timestamptz: Decoder = (text) => {
  const [, day = '', time = '', hours = '', minutes = ':00'] = TIMESTAMPTZ.exec(text) ?? [];
  const date = new Date(`${day}T${time}${hours}${minutes}`);
  return Number.isNaN(date.getTime()) ? text : date;
};

const text: Decoder = (value) => value;

/** OIDs of types (pg_type.dat), and how their text is read. Types with fixed OIDs are the same in all PostgreSQLs. */
const SCALARS: ReadonlyMap<number, Decoder> = new Map([
  [16, bool],
  [17, bytea],
  [20, int8],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, jsonValue],
  [700, Number],
  [701, Number],
  [1184, timestamptz],
  [3802, jsonValue],
]);

/** OIDs of arrays, and how their elements are read. */
const ARRAYS: ReadonlyMap<number, Decoder> = new Map([
  [1000, bool],
  [1001, bytea],
  [1005, Number],
  [1007, Number],
  [1009, text],
  [1014, text],
  [1015, text],
  [1016, int8],
  [1021, Number],
  [1022, Number],
  [1028, Number],
  [1115, text],
  [1182, text],
  [1183, text],
  [1185, timestamptz],
  [1187, text],
  [1231, text],
  [199, jsonValue],
  [2951, text],
  [3807, jsonValue],
]);

export function decoderOf(typeOid: number): Decoder {
  const scalar = SCALARS.get(typeOid);
  if (scalar !== undefined) return scalar;
  const element = ARRAYS.get(typeOid);
  return element === undefined ? text : (value) => parseArray(value, element);
}

/** The text form of an array ("Array Input and Output Syntax"); one with other lower bounds than 1 loses them. */
function parseArray(source: string, decode: Decoder): unknown[] {
  let at = source.startsWith('[') ? source.indexOf('=') + 1 : 0;
  const list = (): unknown[] => {
    const values: unknown[] = [];
    at++; // {
    while (at < source.length && source[at] !== '}') {
      if (source[at] === ',') at++;
      else if (source[at] === '{') values.push(list());
      else values.push(item());
    }
    at++; // }
    return values;
  };
  const item = (): unknown => {
    if (source[at] !== '"') {
      const start = at;
      while (at < source.length && source[at] !== ',' && source[at] !== '}') at++;
      const plain = source.slice(start, at);
      return plain === 'NULL' ? null : decode(plain);
    }
    let quoted = '';
    for (at++; at < source.length && source[at] !== '"'; at++) {
      if (source[at] === '\\') at++;
      quoted += source[at] ?? '';
    }
    at++; // "
    return decode(quoted);
  };
  return list();
}
