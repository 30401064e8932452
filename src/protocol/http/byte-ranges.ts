// Range requests (RFC 9110 §14): the field Range, and which bytes of a representation it asks for. Not whether it applies
// (If-Range is conditions.ts).

/** Positions are as sent: `last` may lie beyond the end, and is null where none was given. */
export type RangeSpec =
  | { readonly first: number; readonly last: number | null }
  /** The last so many bytes. */
  | { readonly suffix: number };

export interface RangeField {
  /** In lower case; `bytes`, or one that the server does not know. */
  readonly unit: string;
  /** Empty for an unknown unit. */
  readonly ranges: readonly RangeSpec[];
}

/** Bytes `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const UNIT = /^([\w!#$%&'*+.^`|~-]+)=(.+)$/s;
const SPEC = /^(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * More ranges, or ones that overlap or that go to and fro, are refused: they let a small request cost much
 * (RFC 9110 §17.15, CVE-2011-3192).
 */
const MAX_RANGES = 20;

/** Null where the field is malformed: it is to be ignored then (§14.2). */
export function parseRange(text: string): RangeField | null {
  const [, unit, set] = UNIT.exec(text) ?? [];
  if (unit === undefined || set === undefined) return null;
  if (unit.toLowerCase() !== 'bytes') return { unit: unit.toLowerCase(), ranges: [] };
  const ranges: RangeSpec[] = [];
  for (const element of set.split(',')) {
    const spec = element.trim();
    if (spec === '') continue;
    const [matched, first, last, suffix] = SPEC.exec(spec) ?? [];
    if (matched === undefined) return null;
    if (suffix !== undefined) ranges.push({ suffix: Number(suffix) });
    else if (last !== undefined && Number(last) < Number(first)) return null;
    else ranges.push({ first: Number(first), last: last === undefined ? null : Number(last) });
  }
  return ranges.length === 0 ? null : { unit: 'bytes', ranges };
}

/**
 * The bytes that the ranges ask for of a representation of `size` bytes, in the order asked for. `unsatisfiable` where there is
 * none of them (416), `refused` where there are too many or they overlap (the whole representation is the answer).
 */
export function selectBytes(
  ranges: readonly RangeSpec[],
  size: number,
): readonly ByteRange[] | 'unsatisfiable' | 'refused' {
  if (ranges.length > MAX_RANGES) return 'refused';
  const selected: ByteRange[] = [];
  for (const range of ranges) {
    if ('suffix' in range) {
      if (range.suffix > 0 && size > 0)
        selected.push({ first: Math.max(0, size - range.suffix), last: size - 1 });
    } else if (range.first < size) {
      selected.push({ first: range.first, last: Math.min(range.last ?? size - 1, size - 1) });
    }
  }
  if (selected.length === 0) return 'unsatisfiable';
  const ordered = [...selected].sort((a, b) => a.first - b.first);
  const overlapping = ordered.some((range, i) => i > 0 && range.first <= (ordered[i - 1]?.last ?? -1));
  return overlapping ? 'refused' : selected;
}

/** The value of Content-Range (§14.4). */
export function contentRange({ first, last }: ByteRange, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}
