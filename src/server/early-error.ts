// The answer to what never became a request. Stream handlers may change it; no stream will see it.
import type { ResponseCommand } from './command.ts';
import { plainError } from './stream.ts';
import type { StreamHandlerChain } from './stream-handler.ts';

export function earlyError(
  handlers: StreamHandlerChain,
  status: number,
  reason: string,
  partial: { method: string; path: string } | null,
): ResponseCommand {
  let response = plainError(status, '', reason);
  for (const factory of handlers) response = factory.earlyError?.(response, partial) ?? response;
  return response;
}
