// What the sender tells its caller.

/** Written. */
export interface Sent {
  readonly ok: true;
  /** Whether the connection must be closed once the response is complete. */
  readonly close: boolean;
}

/** Not written, nothing of it. */
export interface Refused {
  readonly ok: false;
  /** Name of the field that is wrong as the application gave it, or `:status`, or `content-length`. */
  readonly name: string;
  readonly reason: string;
}

export type SendResult = Sent | Refused;

export const SENT_KEEP: Sent = Object.freeze({ ok: true, close: false });
export const SENT_CLOSE: Sent = Object.freeze({ ok: true, close: true });

export function refuse(name: string, reason: string): Refused {
  return { ok: false, name, reason };
}
