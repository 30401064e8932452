// Close codes (RFC 6455 §7.4) and the payload of close frames (§5.5.1).
import type { WebSocketFaultCode } from './fault.ts';
import { Utf8Checker } from './utf8-checker.ts';

/** Stands for a close frame without a code; never sent. */
export const CLOSE_NO_CODE = 1005;

/** The code takes two of the 125 bytes of a control frame. */
export const MAX_CLOSE_REASON_BYTES = 123;

const FIRST_APPLICATION_CODE = 3000;
const LAST_APPLICATION_CODE = 4999;
/** Of 1000 to 2999, what the registry has but for those that are never sent: 1004 is reserved, 1005, 1006 and 1015 are local. */
const REGISTERED_CODES: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
]);

/** Whether the code may stand in a close frame. */
export function isSendableCloseCode(code: number): boolean {
  if (code >= FIRST_APPLICATION_CODE && code <= LAST_APPLICATION_CODE) return Number.isInteger(code);
  return REGISTERED_CODES.has(code);
}

/** Why a connection was closed. CLOSE_NO_CODE and an empty reason where the frame had none. */
export interface CloseStatus {
  readonly code: number;
  readonly reason: string;
}

const WITHOUT_CODE: CloseStatus = Object.freeze({ code: CLOSE_NO_CODE, reason: '' });

/** What the payload of a close frame says, or what is wrong with it. */
export function parseClosePayload(payload: Buffer): CloseStatus | WebSocketFaultCode {
  if (payload.length === 0) return WITHOUT_CODE;
  if (payload.length === 1) return 'close-payload';
  const code = payload.readUInt16BE(0);
  if (!isSendableCloseCode(code)) return 'close-code';
  const checker = new Utf8Checker();
  if (!checker.check(payload, 2, payload.length) || checker.isInside) return 'text-not-utf8';
  return { code, reason: payload.toString('utf8', 2) };
}
