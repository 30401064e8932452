// Answers an exchange with an outcome of SQL: a response, another server's, a file, events, or nothing at all.
import type { Exchange } from '../web/exchange.ts';
import type { CatalogOptions } from './catalog-options.ts';
import { streamEvents } from './sql-event-stream.ts';
import { decodeOutcome } from './outcome.ts';

/** `failed` is called, and nothing was answered, where the outcome cannot be one. */
export function answerOutcome(
  options: CatalogOptions,
  exchange: Exchange,
  body: Buffer,
  bytes: Buffer | null,
  failed: (reason: string) => void,
): void {
  const outcome = decodeOutcome(bytes);
  switch (outcome.kind) {
    case 'response':
      if (outcome.warning !== null) {
        const { message, detail } = outcome.warning;
        options.observer.observe({ kind: 'handler-warning', id: exchange.id, message, detail });
      }
      exchange.respond(outcome.response);
      return;
    case 'abort':
      exchange.abort();
      return;
    case 'proxy':
      options.proxy(exchange, body, { url: outcome.url, preserveHost: outcome.preserveHost });
      return;
    case 'event-stream':
      if (options.events === undefined) exchange.fail(500, 'there are no events here');
      else streamEvents(options.events, exchange, outcome.stream);
      return;
    case 'file':
      options.file(exchange, outcome.file).catch((error: unknown) => {
        failed(error instanceof Error ? error.message : String(error));
      });
      return;
    case 'invalid':
      failed(outcome.reason);
  }
}
