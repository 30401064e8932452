// Changes to the fields of a response on its way out. The names are as an application gave them: in any case. Not for requests,
// whose names are lower case (field-lines.ts).
import { formatEntityTag, parseEntityTag } from './entity-tag.ts';
import type { FieldLines } from './field-lines.ts';

/** Index of the first line of that name (given in lower case), or -1. */
function fieldIndex(fields: FieldLines, name: string): number {
  for (let i = 0; i < fields.length; i += 2) if (isNamed(fields[i], name)) return i;
  return -1;
}

/** The value of the first line of that name (given in lower case). */
export function responseField(fields: FieldLines, name: string): string | undefined {
  const index = fieldIndex(fields, name);
  return index < 0 ? undefined : fields[index + 1];
}

function isNamed(given: string | undefined, name: string): boolean {
  return (
    given !== undefined && given.length === name.length && (given === name || given.toLowerCase() === name)
  );
}

/** Without all lines of these names (in lower case). */
export function withoutFields(fields: FieldLines, names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (!names.some((dropped) => isNamed(name, dropped))) kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

/** With `name` (in lower case) named by Vary (RFC 9110 §12.5.5). */
export function withVary(fields: FieldLines, name: string): FieldLines {
  for (let i = 0; i < fields.length; i += 2) {
    if (!isNamed(fields[i], 'vary')) continue;
    const names = (fields[i + 1] ?? '').split(',').map((element) => element.trim().toLowerCase());
    if (names.includes('*') || names.includes(name)) return fields;
  }
  return [...fields, 'vary', name];
}

/** With a weak entity tag in place of a strong one: what is sent is not byte for byte what that one stands for. */
export function withWeakEtag(fields: FieldLines): FieldLines {
  const index = fieldIndex(fields, 'etag');
  const tag = index < 0 ? null : parseEntityTag(fields[index + 1] ?? '');
  if (tag === null || tag.weak) return fields;
  return fields.with(index + 1, formatEntityTag({ weak: true, opaque: tag.opaque }));
}
