// Errors and notices of PostgreSQL as text for a person: severity, the line with a caret below it, detail, hint.
import type { ServerMessage } from './sql-session.ts';

export interface MessagePlace {
  /** The statement that was run. */
  readonly statement: string;
  /** Where that came from, `schema.sql`; null on a terminal, where the line is before one's eyes. */
  readonly source: string | null;
  /** Line of the source that the statement begins in. */
  readonly line: number;
}

/** `place` is null for a notice, which shows no context either. Ends with a line end. */
export function messageText(message: ServerMessage, place: MessagePlace | null): string {
  const found = place === null ? null : findPosition(place.statement, message.position);
  const prefix =
    place === null || place.source === null ? '' : `${place.source}:${place.line + (found?.line ?? 1) - 1}: `;
  const lines = [`${prefix}${message.severity ?? 'ERROR'}:  ${message.message ?? ''}`];
  if (found !== null) lines.push(...excerpt(found));
  if (message.detail !== undefined) lines.push(`DETAIL:  ${message.detail}`);
  if (message.hint !== undefined) lines.push(`HINT:  ${message.hint}`);
  if (message.where !== undefined && place !== null) lines.push(`CONTEXT:  ${message.where}`);
  return `${lines.join('\n')}\n`;
}

interface Position {
  /** 1-based, within the statement. */
  readonly line: number;
  /** Characters of that line, before the position and from there on. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function findPosition(statement: string, position: string | undefined): Position | null {
  if (position === undefined) return null;
  // PostgreSQL counts characters; strings here count UTF-16 units.
  const characters = Array.from(statement);
  const index = Number(position) - 1;
  if (!(index >= 0 && index <= characters.length)) return null;
  const lineStart = characters.lastIndexOf('\n', index - 1) + 1;
  const lineEnd = characters.indexOf('\n', index);
  return {
    line: characters.slice(0, index).filter((c) => c === '\n').length + 1,
    before: index === 0 ? [] : characters.slice(lineStart, index),
    after: characters.slice(index, lineEnd < 0 ? undefined : lineEnd),
  };
}

/** Characters shown on either side of the position: with "LINE 10: " and the dots, the whole stays within 80. */
const EXCERPT_RADIUS = 32;

function excerpt({ line, before, after }: Position): [string, string] {
  const label = `LINE ${line}: `;
  const left = before.length > EXCERPT_RADIUS ? ['...', ...before.slice(-EXCERPT_RADIUS)] : before;
  const right = after.length > EXCERPT_RADIUS ? [...after.slice(0, EXCERPT_RADIUS), '...'] : after;
  const plain = (part: readonly string[]): string => part.join('').replaceAll('\t', ' ');
  return [`${label}${plain(left)}${plain(right)}`, `${' '.repeat(label.length + plain(left).length)}^`];
}
