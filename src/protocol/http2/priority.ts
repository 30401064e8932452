// The priority of a response, from the `priority` field or PRIORITY_UPDATE (RFC 9218 §4). Not the scheduling.

export interface Priority {
  /** 0 (first) to 7 (last) (RFC 9218 §4.1). */
  readonly urgency: number;
  /** Whether parts of it are of use, so that it may share with others (RFC 9218 §4.2). */
  readonly incremental: boolean;
}

export const DEFAULT_URGENCY = 3;
export const URGENCIES = 8;

/** One member of a dictionary (RFC 8941 §3.2): a key, maybe a value, maybe parameters (which are read over). */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)(?:=([^;]*))?(?:;.*)?$/;

/**
 * Reads the field's value. What is missing, unknown or out of range takes its default: a priority is a hint (RFC 9218
 * §4), never a reason to refuse a request. The last of several equal keys counts (RFC 8941 §3.2).
 */
export function parsePriority(field: string): Priority {
  let urgency = DEFAULT_URGENCY;
  let incremental = false;
  for (const text of field.split(',')) {
    const member = MEMBER.exec(text.trim());
    if (member === null) continue;
    const [, key, value] = member;
    if (key === 'u') urgency = value !== undefined && /^[0-7]$/.test(value) ? Number(value) : DEFAULT_URGENCY;
    else if (key === 'i') incremental = value === undefined || value === '?1';
  }
  return { urgency, incremental };
}
