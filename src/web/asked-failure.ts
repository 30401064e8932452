// A failure that the SQL of a handler asks for by its status (howdah.fail, or SQLSTATE `PT404` as PostgREST has it): rolled back, and
// answered with the message.
import type { Exchange } from './exchange.ts';

const ASKED = /^PT([45]\d\d)$/;

/** The status that is asked for; null: the error is no such thing. */
export function askedStatus(sqlState: string | null): number | null {
  const status = ASKED.exec(sqlState ?? '')?.[1];
  return status === undefined ? null : Number(status);
}

/** Answers with the message, or with what is usual for the status where it is empty. */
export function answerAsked(exchange: Exchange, status: number, message: string): void {
  if (message === '') {
    exchange.fail(status);
    return;
  }
  exchange.respond({ status, fields: ['content-type', 'text/plain; charset=utf-8'], body: `${message}\n` });
}
