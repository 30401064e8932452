// The closed union of what a stream handler may ask of its stream. Data only: stream.ts is the one interpreter.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { TakeOver } from './byte-duplex.ts';

/** What a stream handler may ask of its stream. */
export type Command =
  /** An informational response (1xx but 101), any number before the response. */
  | { readonly kind: 'inform'; readonly status: number; readonly fields: FieldLines }
  /** The whole response. A null body is a response without content. */
  | ResponseCommand
  /** The head of a response whose content follows as `data`, ended by `data` with `last` or by `trailers`. */
  | { readonly kind: 'headers'; readonly status: number; readonly fields: FieldLines }
  | { readonly kind: 'data'; readonly data: Buffer; readonly last: boolean }
  /** Ends a response begun with `headers`. Trailers are left out where the version or the client has no use for them. */
  | { readonly kind: 'trailers'; readonly fields: FieldLines }
  /**
   * Agrees to what the request asked for with `upgrade` (HTTP/2: an extended CONNECT): 101 (200), and `takeOver` gets the
   * bytes. HTTP is over with it.
   */
  | {
      readonly kind: 'switch-protocol';
      /** Value of the field `upgrade`; HTTP/2 does not send it. */
      readonly protocol: string;
      readonly fields: FieldLines;
      readonly takeOver: TakeOver;
    }
  /**
   * Promises the client the answer to a GET of `path` (with its query) at the same authority, and has the handlers make it.
   * Ignored in HTTP/1 and where the client takes no promises, as most do not.
   */
  | { readonly kind: 'push'; readonly path: string; readonly fields: FieldLines }
  /** Asks for `bytes` more bytes of the request body; none are delivered unasked (and 100 (Continue) is sent first). */
  | { readonly kind: 'flow'; readonly bytes: number }
  /** Replaces the response that is sent should the handlers fail before they answer. */
  | {
      readonly kind: 'error-response';
      readonly status: number;
      readonly fields: FieldLines;
      readonly body: Buffer | string;
    }
  /** Changes options for this stream's connection, or how its response is compressed where `compress` is among the handlers. */
  | {
      readonly kind: 'set-options';
      readonly idleTimeoutMs?: number;
      readonly maxSkipBodyBytes?: number;
      readonly compression?: CompressionChoice;
    }
  /** Goes to the observers as a warning about this stream. */
  | { readonly kind: 'log'; readonly message: string; readonly detail: string }
  /** Ends the stream: what was not answered yet is a 204, what was begun is ended. */
  | { readonly kind: 'stop' }
  /** Ends the connection (HTTP/2: the stream) without an answer, or without the rest of it. */
  | { readonly kind: 'abort' }
  /** The handlers cannot go on: 500 (or the error response) if nothing was sent, a reset otherwise. */
  | { readonly kind: 'internal-error'; readonly where: string; readonly error: unknown };

/** What a response may choose for itself, before it begins, in place of the options of `compress`. */
export interface CompressionChoice {
  /** false: it is sent as it is. */
  readonly enabled?: boolean;
  readonly buffering?: boolean;
  readonly thresholdBytes?: number;
}

export interface ResponseCommand {
  readonly kind: 'response';
  readonly status: number;
  readonly fields: FieldLines;
  readonly body: Buffer | string | null;
}

/** What a stream handler's callbacks return: nothing, one command, or several in order. */
export type Commands = Command | readonly Command[] | null;

const KINDS: ReadonlySet<string> = new Set([
  'inform',
  'response',
  'headers',
  'data',
  'trailers',
  'switch-protocol',
  'push',
  'flow',
  'error-response',
  'set-options',
  'log',
  'stop',
  'abort',
  'internal-error',
] satisfies Command['kind'][]);

/** Whether a message cast to a stream is a command to be carried out as it is. */
export function isCommand(message: unknown): message is Command {
  return (
    typeof message === 'object' && message !== null && KINDS.has((message as { kind?: string }).kind ?? '')
  );
}
