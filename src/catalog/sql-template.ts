// sql`…`: SQL with values in it. A text for `db`, and a target for routes: a handler in SQL beside those in TypeScript.
import type { Exchange } from '../web/exchange.ts';
import type { Context, RouteTarget } from '../web/handler.ts';
import type { SqlText } from '../web/sql-client.ts';
import { statementsOf } from './database-client.ts';
import { renderSql, type ContextValue } from './sql-text.ts';

/** A function is asked with the context of each request; `object` stands for dates, bytes, arrays, JSON and other SQL. */
export type TemplateValue = ContextValue | string | number | bigint | boolean | object | null | undefined;

export class SqlTemplate implements SqlText, RouteTarget {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];

  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.strings = strings;
    this.values = values;
  }

  handleExchange(exchange: Exchange, context: Context): void {
    const { text, values } = renderSql(this, context);
    void statementsOf(context.db).answer(exchange, text, values);
  }
}

/**
 * SQL with values, which are sent as parameters: for `db`, or as the target of a route. There, a function among the values
 * is called with the context of each request. What the statement gives is the answer: one column of type
 * omni_httpd.http_outcome is that outcome (and bytea is taken for one, since PostgreSQL tells clients no difference); one of
 * text or json is a body of that content type; anything else in one column is JSON;
 * several columns are the rows as JSON. No row at all is 404 where there is one column, and null is 204.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly TemplateValue[]): SqlTemplate {
  return new SqlTemplate(strings, values);
}
