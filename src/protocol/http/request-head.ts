// The head of a request in the form that all HTTP versions share. Not how a version spells it on the wire.
import type { FieldLines } from './field-lines.ts';

export type HttpVersion = '1.0' | '1.1' | '2';

/**
 * A request head, already checked by the protocol that received it.
 * `fields` may be computed when it is first read: do not touch it where it is not needed.
 */
export interface RequestHead {
  /** As sent, case kept (RFC 9110 §9.1); known or not. */
  readonly method: string;
  /** `Host`, the authority of an absolute-form target, or `:authority`; empty where HTTP/1.0 sent none. */
  readonly authority: string;
  /** Path as sent (not decoded, not normalised), beginning with `/`; `*` for OPTIONS; empty for CONNECT. */
  readonly path: string;
  /** Raw text after the first `?`, without it; null where there is no `?`. */
  readonly query: string | null;
  readonly version: HttpVersion;
  /** All field lines, names in lower case, values without surrounding white space, as latin1 text. */
  readonly fields: FieldLines;
  /** Whether any body, also an empty one, is to come as separate events before the end. */
  readonly hasBody: boolean;
  /** Length of the body in bytes where it was announced; null for chunked or unannounced ones; 0 without a body. */
  readonly contentLength: number | null;
  /** The client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean;
}
