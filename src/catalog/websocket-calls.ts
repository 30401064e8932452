// The statements behind howdah's outbox of messages to WebSockets, as prepared calls.
import { prepareText } from './prepared-text.ts';

const INT8_OID = 20;
const INT4_OID = 23;
const TEXT_OID = 25;

export const TAKE = prepareText('select howdah.take_websocket_messages($1, $2, $3)', [
  TEXT_OID,
  INT4_OID,
  INT4_OID,
]);
export const COUNT_UNDELIVERED = prepareText('select howdah.count_websocket_undelivered($1)', [INT8_OID]);
export const KEEP_NODE = prepareText('select howdah.keep_websocket_node($1)', [TEXT_OID]);
export const LEAVE_NODE = prepareText('select howdah.leave_websocket_node($1)', [TEXT_OID]);
export const VACUUM = prepareText('vacuum howdah.websocket_outbox', []);

/** Messages as howdah.take_websocket_messages() puts them together. */
export function* readMessages(
  bytes: Buffer,
): Generator<{ socket: string; isText: boolean; payload: Buffer }> {
  for (let at = 0; at < bytes.length;) {
    const hex = bytes.toString('hex', at, at + 16);
    const length = bytes.readInt32BE(at + 17);
    yield {
      socket: uuidText(hex),
      isText: bytes[at + 16] === 1,
      payload: bytes.subarray(at + 21, at + 21 + length),
    };
    at += 21 + length;
  }
}

/** 32 hexadecimal digits as PostgreSQL writes a uuid. */
export function uuidText(hex: string): string {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-');
}
