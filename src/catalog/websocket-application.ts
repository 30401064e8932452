// Which functions serve a WebSocket, and the statements that call them: those of a row of howdah.websocket_router, or omni_httpd's
// (omni_httpd.md §11). Calls nothing.
import type { PreparedStatement } from '../database/call.ts';
import { EPOCH_TYPE, epochIs } from '../database/epoch-guard.ts';
import type { CatalogRows, WebSocketRow } from './catalog-rows.ts';
import { prepareText } from './prepared-text.ts';

const BYTEA_OID = 17;
const INT4_OID = 23;
const TEXT_OID = 25;
const UUID_OID = 2950;

export type HandshakeArgument = 'listener' | 'socket' | 'request';

export interface Callback {
  readonly statement: PreparedStatement;
  /** For messages about it. */
  readonly name: string;
}

export interface WebSocketApplication {
  readonly handshake: Callback;
  /** What the handshake is passed, in order. */
  readonly arguments: readonly HandshakeArgument[];
  /** Whether it gives an http_outcome, and not a boolean. */
  readonly givesOutcome: boolean;
  readonly onOpen: Callback | null;
  readonly onText: Callback | null;
  readonly onBinary: Callback | null;
  readonly onClose: Callback | null;
  /** Whether a callback that fails, or cannot be called, closes the connection. */
  readonly closesOnError: boolean;
}

const ON_OPEN = [UUID_OID];
const ON_TEXT = [UUID_OID, TEXT_OID];
const ON_BINARY = [UUID_OID, BYTEA_OID];

/** The application of a database where no row of the router matches. */
export function defaultApplication(types: CatalogRows['types']): WebSocketApplication {
  const name = 'omni_httpd.websocket_';
  return {
    handshake: handshakeOf(`${name}handler`, ['listener', 'socket', 'request'], types),
    arguments: ['listener', 'socket', 'request'],
    givesOutcome: false,
    onOpen: callbackOf(`${name}on_open`, ON_OPEN),
    onText: callbackOf(`${name}on_message`, ON_TEXT),
    onBinary: callbackOf(`${name}on_message`, ON_BINARY),
    onClose: callbackOf(`${name}on_close`, ON_OPEN),
    closesOnError: false,
  };
}

export function applicationOf(row: WebSocketRow, types: CatalogRows['types']): WebSocketApplication {
  const { on_open: onOpen, on_message: onText, on_binary: onBinary, on_close: onClose } = row.callbacks;
  return {
    handshake: handshakeOf(row.name, row.arguments, types),
    arguments: row.arguments,
    givesOutcome: row.outcome,
    onOpen: onOpen === undefined ? null : callbackOf(onOpen, ON_OPEN),
    onText: onText === undefined ? null : callbackOf(onText, ON_TEXT),
    onBinary: onBinary === undefined ? null : callbackOf(onBinary, ON_BINARY),
    onClose: onClose === undefined ? null : callbackOf(onClose, ON_OPEN),
    closesOnError: row.onError === 'close',
  };
}

function callbackOf(name: string, types: readonly number[]): Callback {
  return { name, statement: prepareText(`select ${name}(${numbers(types.length)})`, types) };
}

/** Decided with the routes of an epoch: it does not run where the catalog has moved on. */
function handshakeOf(
  name: string,
  passed: readonly HandshakeArgument[],
  types: CatalogRows['types'],
): Callback {
  const oids = passed.map((argument) =>
    argument === 'listener' ? INT4_OID : argument === 'socket' ? UUID_OID : types.httpRequest,
  );
  const text = `select ${name}(${numbers(passed.length)})`;
  const guarded = prepareText(`${text} where ${epochIs(`$${passed.length + 1}`)}`, [...oids, EPOCH_TYPE]);
  const statement = { ...prepareText(text, oids), guarded: { ...guarded, refusal: 'no-row' as const } };
  return { name, statement };
}

const numbers = (count: number): string => Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');
