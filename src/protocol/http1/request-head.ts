// The head of an HTTP/1.x request, checked and complete. Not the parser: the readers beside it find the parts, this
// keeps the text and cuts fields out of it only when somebody asks.
import type { FieldLines } from '../http/field-lines.ts';
import type { RequestHead } from '../http/request-head.ts';

/** Which of the forms of RFC 9112 §3.2 the target was sent in. */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

export declare class Http1RequestHead implements RequestHead {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string | null;
  readonly version: '1.0' | '1.1';
  readonly minorVersion: 0 | 1;
  readonly hasBody: boolean;
  readonly contentLength: number | null;
  readonly expectContinue: boolean;
  readonly keepAlive: boolean;
  readonly chunked: boolean;
  readonly target: string;
  readonly form: TargetForm;
  readonly scheme: 'http' | 'https' | null;
  get fields(): FieldLines;
  get upgrade(): string | null;
  get connectionOptions(): readonly string[];
}
