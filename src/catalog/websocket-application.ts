// Which functions serve a WebSocket, and the statements that call them: those of a row of howdah.websocket_router, or omni_httpd's
// (omni_httpd.md §11). Calls nothing.
import type { PreparedStatement } from '../database/call.ts';
import { EPOCH_TYPE, epochIs } from '../database/epoch-guard.ts';
import type { CatalogRows, WebSocketArgument, WebSocketRow } from './catalog-rows.ts';
import { namesOfGroups, type GroupArgument } from './group-arguments.ts';
import { prepareText } from './prepared-text.ts';

const BYTEA_OID = 17;
const INT4_OID = 23;
const TEXT_OID = 25;
const UUID_OID = 2950;
/** The server infers the type. */
const INFERRED = 0;

/** What a function is passed: of the handshake or the message, or the text of a group of the row's pattern. */
export type PassedArgument = 'listener' | 'socket' | 'request' | 'data' | GroupArgument;

export interface Callback {
  readonly statement: PreparedStatement;
  /** For messages about it. */
  readonly name: string;
  /** What it is passed, in order. */
  readonly arguments: readonly PassedArgument[];
}

export interface WebSocketApplication {
  readonly handshake: Callback;
  /** Whether it gives an http_outcome, and not a boolean. */
  readonly givesOutcome: boolean;
  readonly onOpen: Callback | null;
  readonly onText: Callback | null;
  readonly onBinary: Callback | null;
  readonly onClose: Callback | null;
  /** Whether a callback that fails, or cannot be called, closes the connection. */
  readonly closesOnError: boolean;
  /** The groups that its functions have parameters for: the row matches where all of them fit. */
  readonly groups: readonly GroupArgument[];
}

/** The application of a database where no row of the router matches. */
export function defaultApplication(types: CatalogRows['types']): WebSocketApplication {
  const name = 'omni_httpd.websocket_';
  return {
    handshake: handshakeOf(`${name}handler`, ['listener', 'socket', 'request'], types),
    givesOutcome: false,
    onOpen: callbackOf(`${name}on_open`, ['socket'], TEXT_OID),
    onText: callbackOf(`${name}on_message`, ['socket', 'data'], TEXT_OID),
    onBinary: callbackOf(`${name}on_message`, ['socket', 'data'], BYTEA_OID),
    onClose: callbackOf(`${name}on_close`, ['socket'], TEXT_OID),
    closesOnError: false,
    groups: [],
  };
}

/** The application of a row, or why its functions cannot be called. */
export function applicationOf(
  row: WebSocketRow,
  types: CatalogRows['types'],
): WebSocketApplication | { readonly problem: string } {
  const groupNames = namesOfGroups(row.match);
  const problems: string[] = [];
  const passed = (kind: string, listed: readonly WebSocketArgument[]): readonly PassedArgument[] => {
    const taken = listed.map((argument) => passedFor(argument, kind === 'handler', groupNames));
    const surplus = listed.filter((_, i) => taken[i] === null || taken.indexOf(taken[i] ?? null) < i);
    if (surplus.length > 0) problems.push(`its ${kind} ${surplusText(kind === 'handler', surplus)}`);
    return taken.filter((argument) => argument !== null);
  };
  const callback = (kind: keyof WebSocketRow['callbacks'], dataType = TEXT_OID): Callback | null => {
    const given = row.callbacks[kind];
    return given === undefined ? null : callbackOf(given.name, passed(kind, given.arguments), dataType);
  };
  const functions = {
    handshake: handshakeOf(row.name, passed('handler', row.arguments), types),
    onOpen: callback('on_open'),
    onText: callback('on_message'),
    onBinary: callback('on_binary', BYTEA_OID),
    onClose: callback('on_close'),
  };
  if (problems.length > 0) return { problem: problems.join('; ') };
  const groups = Object.values(functions).flatMap((called) => called?.arguments ?? []);
  return {
    ...functions,
    givesOutcome: row.outcome,
    closesOnError: row.onError === 'close',
    groups: groups.filter((argument) => typeof argument === 'object'),
  };
}

/**
 * null: there is nothing to pass. A name goes before a type, as with the handlers of requests; not before what the parameters of the
 * other functions begin with, whatever they are called.
 */
function passedFor(
  { pass, type, parameter }: WebSocketArgument,
  decides: boolean,
  groupNames: ReadonlySet<string>,
): PassedArgument | null {
  const mayBeGroup = pass === 'null' || (decides && pass !== 'request');
  if (mayBeGroup && parameter !== undefined && groupNames.has(parameter)) return { name: parameter, type };
  return pass === 'null' ? null : pass;
}

function surplusText(decides: boolean, surplus: readonly WebSocketArgument[]): string {
  const listed = surplus.map(({ parameter, type }) => [parameter, type].filter(Boolean).join(' ')).join(', ');
  return decides
    ? `takes something else than one each of int, uuid and omni_httpd.http_request, and groups of the pattern by their names: ${listed}`
    : `has parameters that are no groups of the pattern: ${listed}`;
}

function callbackOf(name: string, passed: readonly PassedArgument[], dataType: number): Callback {
  const oids = passed.map((argument) =>
    argument === 'socket' ? UUID_OID : argument === 'data' ? dataType : INFERRED,
  );
  return { name, arguments: passed, statement: prepareText(callText(name, passed), oids) };
}

/** Decided with the routes of an epoch: it does not run where the catalog has moved on. */
function handshakeOf(name: string, passed: readonly PassedArgument[], types: CatalogRows['types']): Callback {
  const oids = passed.map((argument) => {
    if (argument === 'listener') return INT4_OID;
    if (argument === 'socket') return UUID_OID;
    return argument === 'request' ? types.httpRequest : INFERRED;
  });
  const text = callText(name, passed);
  const guarded = prepareText(`${text} where ${epochIs(`$${passed.length + 1}`)}`, [...oids, EPOCH_TYPE]);
  const statement = { ...prepareText(text, oids), guarded: { ...guarded, refusal: 'no-row' as const } };
  return { name, arguments: passed, statement };
}

function callText(name: string, passed: readonly PassedArgument[]): string {
  const numbers = passed.map((argument, i) =>
    typeof argument === 'object' ? `$${i + 1}::${argument.type}` : `$${i + 1}`,
  );
  return `select ${name}(${numbers.join(', ')})`;
}
