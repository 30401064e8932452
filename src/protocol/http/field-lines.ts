// Field lines (RFC 9110 §5) as the engine passes them around: one flat array of names and values, in the order of
// the message. Not a validating container: the parsers and encoders of the protocols check names and values.

/** Names (lower case) and values in turn: `[name, value, name, value, …]`. */
export type FieldLines = readonly string[];

export const NO_FIELDS: FieldLines = Object.freeze([]);

/** The value of the first field line named `name` (lower case), or undefined. */
export function getField(lines: FieldLines, name: string): string | undefined {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return lines[i + 1];
  return undefined;
}

/** All values of the field lines named `name` (lower case), in order. */
export function getFieldValues(lines: FieldLines, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const value = lines[i + 1];
    if (lines[i] === name && value !== undefined) values.push(value);
  }
  return values;
}

/** Whether a field line named `name` (lower case) is there. */
export function hasField(lines: FieldLines, name: string): boolean {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return true;
  return false;
}
