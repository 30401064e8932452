// Conditional requests (RFC 9110 §13): whether the preconditions of a request hold for the selected representation, in the
// order of §13.2.2, and whether its Range applies (§13.1.5).
import { matchesStrongly, matchesWeakly, parseEntityTag, parseEntityTags } from './entity-tag.ts';
import type { EntityTag } from './entity-tag.ts';
import { getFieldValues, type FieldLines } from './field-lines.ts';
import { parseHttpDate } from './http-date.ts';

/** What is known of the current representation. */
export interface Validators {
  readonly etag: EntityTag | null;
  /** Milliseconds since 1970; compared by the second. */
  readonly lastModifiedMs: number | null;
}

/** 304 and 412: the status to answer with. */
export type Verdict = 'proceed' | 304 | 412;

/** `validators` are null where there is no current representation. Fields are those of the request. */
export function checkConditions(method: string, fields: FieldLines, validators: Validators | null): Verdict {
  const safe = method === 'GET' || method === 'HEAD';
  const ifMatch = joined(fields, 'if-match');
  if (ifMatch !== null) {
    if (!holdsIfMatch(ifMatch, validators)) return 412;
  } else {
    const limit = date(fields, 'if-unmodified-since');
    const modified = validators?.lastModifiedMs ?? null;
    if (limit !== null && modified !== null && inSeconds(modified) > inSeconds(limit)) return 412;
  }
  const ifNoneMatch = joined(fields, 'if-none-match');
  if (ifNoneMatch !== null) {
    if (!holdsIfNoneMatch(ifNoneMatch, validators)) return safe ? 304 : 412;
  } else if (safe) {
    const limit = date(fields, 'if-modified-since');
    const modified = validators?.lastModifiedMs ?? null;
    if (limit !== null && modified !== null && inSeconds(modified) <= inSeconds(limit)) return 304;
  }
  return 'proceed';
}

/** Whether If-Range lets the request's Range be applied (§13.1.5): there is none, or its validator is the current one. */
export function rangeApplies(fields: FieldLines, { etag, lastModifiedMs }: Validators): boolean {
  const text = joined(fields, 'if-range');
  if (text === null) return true;
  const tag = parseEntityTag(text);
  if (tag !== null) return etag !== null && matchesStrongly(tag, etag);
  const limit = parseHttpDate(text);
  // An exact match, and not earlier or the same (§13.1.5).
  return limit !== null && lastModifiedMs !== null && inSeconds(limit) === inSeconds(lastModifiedMs);
}

function holdsIfMatch(text: string, validators: Validators | null): boolean {
  const tags = parseEntityTags(text);
  if (validators === null || tags === null) return false;
  const { etag } = validators;
  return tags === '*' || (etag !== null && tags.some((tag) => matchesStrongly(tag, etag)));
}

/** A malformed list matches nothing. */
function holdsIfNoneMatch(text: string, validators: Validators | null): boolean {
  const tags = parseEntityTags(text);
  if (validators === null || tags === null) return true;
  const { etag } = validators;
  return tags !== '*' && !(etag !== null && tags.some((tag) => matchesWeakly(tag, etag)));
}

function joined(fields: FieldLines, name: string): string | null {
  const values = getFieldValues(fields, name);
  return values.length === 0 ? null : values.join(', ');
}

/** A date that is none is to be ignored (§13.1.3, §13.1.4). */
function date(fields: FieldLines, name: string): number | null {
  const text = joined(fields, name);
  return text === null ? null : parseHttpDate(text);
}

const inSeconds = (ms: number): number => Math.floor(ms / 1000);
