// Entity tags (RFC 9110 §8.8.3) and the lists of If-Match and If-None-Match (§13.1). Not what follows from a match
// (conditions.ts).
import { FieldScanner, parseList } from './field-scanner.ts';

export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

/** etagc: visible characters but the quote, and obs-text. */
const OPAQUE = /^[\x21\x23-\x7e\x80-\xff]*$/;

/** Null where it is malformed. */
export function parseEntityTag(text: string): EntityTag | null {
  const scanner = new FieldScanner(text);
  const tag = takeEntityTag(scanner);
  return scanner.done ? tag : null;
}

/** `*`, or the tags; null where the field is malformed. */
export function parseEntityTags(text: string): '*' | EntityTag[] | null {
  if (text.trim() === '*') return '*';
  const tags = parseList(text, takeEntityTag);
  return tags === null || tags.length === 0 ? null : tags;
}

function takeEntityTag(scanner: FieldScanner): EntityTag | null {
  const weak = scanner.eat('W');
  if (weak && !scanner.eat('/')) return null;
  if (!scanner.eat('"')) return null;
  // No quoted-string: a backslash is a character like others.
  const opaque = scanner.until('"');
  return OPAQUE.test(opaque) && scanner.eat('"') ? { weak, opaque } : null;
}

/** @throws TypeError where `opaque` has a character that no entity tag can have */
export function formatEntityTag({ weak, opaque }: EntityTag): string {
  if (!OPAQUE.test(opaque)) throw new TypeError(`no entity tag: ${JSON.stringify(opaque)}`);
  return `${weak ? 'W/' : ''}"${opaque}"`;
}

/** Strong comparison (§8.8.3.2): the same, and neither weak. */
export function matchesStrongly(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque;
}

/** Weak comparison (§8.8.3.2). */
export function matchesWeakly(a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque;
}
