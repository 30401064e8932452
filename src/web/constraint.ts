// Constraints: functions that check a text of a request (a binding, a query parameter, a cookie), convert it, and can say
// what text a value came from. Not where they are applied.

/** Checks a text, and makes a value of it. */
export interface Constraint<T = unknown> {
  /** The value of the text; undefined where the text is not allowed. */
  (text: string): T | undefined;
  /** The text of a value, for building URLs. Default: String(value). */
  reverse?(value: T): string;
}

/** Constraints by name. */
export type Constraints = Readonly<Record<string, Constraint>>;

/** What a constraint makes of a text. */
export type ConstraintValue<C> = C extends (text: string) => infer T ? Exclude<T, undefined> : never;

const INTEGER = /^[+-]?\d+$/;

/** A whole number that JavaScript holds exactly. */
export const int: Constraint<number> = (text) => {
  if (!INTEGER.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

/** Any text but the empty one. */
export const nonempty: Constraint<string> = (text) => (text === '' ? undefined : text);
