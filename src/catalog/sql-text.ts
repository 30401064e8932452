// SQL with values in it, put into one text with numbered parameters. Runs nothing.
import type { Context } from '../web/handler.ts';
import type { SqlText } from '../web/sql-client.ts';

/** A value that is worked out for each request: `sql`select … ${({ bindings }) => bindings.id}``. */
export type ContextValue = (context: Context) => unknown;

/** The text with `$1`, `$2` …, and their values. Templates among the values are spliced in. */
export function renderSql(
  template: SqlText,
  context: Context | null,
): { readonly text: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const render = ({ strings, values: given }: SqlText): string => {
    let text = strings[0] ?? '';
    for (const [index, value] of given.entries()) {
      if (isSqlText(value)) text += render(value);
      else {
        if (typeof value === 'function' && context === null) {
          throw new TypeError('a function among the values of SQL has no request to be called with');
        }
        values.push(typeof value === 'function' ? (value as ContextValue)(context as Context) : value);
        text += `$${values.length}`;
      }
      text += strings[index + 1] ?? '';
    }
    return text;
  };
  return { text: render(template), values };
}

export function isSqlText(value: unknown): value is SqlText {
  return (
    typeof value === 'object' &&
    value !== null &&
    'strings' in value &&
    'values' in value &&
    Array.isArray(value.strings) &&
    Array.isArray(value.values)
  );
}
