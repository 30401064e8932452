// A stream as the handlers further in see it, where one in front of them changes something: the request head, or whether it takes
// more of the response. Does nothing by itself.
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { ConnectionInfo, StreamHandle } from './stream-handler.ts';

export interface StreamChanges {
  /** In place of the stream's own. */
  readonly head?: RequestHead;
  /** Whether the handler in front takes no more for now; it then casts DRAINED when it does. */
  readonly isFull?: () => boolean;
}

export class InnerStream implements StreamHandle {
  readonly #outer: StreamHandle;
  readonly #isFull: (() => boolean) | null;
  readonly head: RequestHead;

  constructor(outer: StreamHandle, { head, isFull }: StreamChanges) {
    this.#outer = outer;
    this.head = head ?? outer.head;
    this.#isFull = isFull ?? null;
  }

  get connection(): ConnectionInfo {
    return this.#outer.connection;
  }

  get id(): string {
    return this.#outer.id;
  }

  get writable(): boolean {
    return this.#outer.writable && this.#isFull?.() !== true;
  }

  push(path: string, fields: FieldLines): boolean {
    return this.#outer.push(path, fields);
  }

  cast(message: unknown): void {
    this.#outer.cast(message);
  }
}
