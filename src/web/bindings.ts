// Makes bindings of the groups of a matched route: decoded, and converted by its constraints.
import type { Constraints } from './constraint.ts';
import type { AnyBindings } from './handler.ts';
import type { RouteGroups } from './route-groups.ts';

/** 'no-match': a constraint does not allow a text; 'no-text': a group's percent-encoding is no UTF-8. */
export function convertGroups(
  groups: RouteGroups,
  constraints: Constraints | undefined,
): AnyBindings | 'no-match' | 'no-text' {
  // Nearly always there is nothing to decode or convert, and the groups are the bindings.
  let encoded = false;
  for (const name in groups) if (groups[name]?.includes('%')) encoded = true;
  if (!encoded && constraints === undefined) return groups;
  const bindings = Object.create(null) as Record<string, unknown>;
  for (const name in groups) {
    const text = decode(groups[name] ?? '');
    if (text === null) return 'no-text';
    const constraint = constraints?.[name];
    const value = constraint === undefined ? text : constraint(text);
    if (value === undefined) return 'no-match';
    bindings[name] = value;
  }
  return bindings;
}

function decode(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
