// Parsers and encoders of the bodies of messages that a server sends. Which message comes when is not known here.
import type { ProtocolViolation } from './message-splitter.ts';
import type { MessageWriter } from './message-writer.ts';
import { FieldReader } from './field-reader.ts';
import { BACKEND, STARTUP, TRANSACTION } from './message-types.ts';

/** Fields of ErrorResponse and NoticeResponse, by the names that PostgreSQL's documentation gives them. */
export interface ErrorFields {
  /** Not translated where the server sends that (protocol 3.0 since PostgreSQL 9.6 does). */
  readonly severity: string;
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  /** 1-based character offset into the statement's text. */
  readonly position?: number;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

export interface ColumnDescription {
  readonly name: string;
  readonly typeOid: number;
  readonly format: 0 | 1;
}

export interface Notification {
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

const TEXT_FIELDS = new Map<
  number,
  'code' | 'message' | 'detail' | 'hint' | 'where' | 'schema' | 'table' | 'column' | 'constraint'
>([
  [0x43, 'code'],
  [0x4d, 'message'],
  [0x44, 'detail'],
  [0x48, 'hint'],
  [0x57, 'where'],
  [0x73, 'schema'],
  [0x74, 'table'],
  [0x63, 'column'],
  [0x6e, 'constraint'],
]);
const FIELD_SEVERITY = 0x53;
const FIELD_SEVERITY_PLAIN = 0x56;
const FIELD_POSITION = 0x50;

/** Unknown fields are passed over, as the protocol asks; missing ones that every server sends become defaults. */
export function parseErrorFields(bytes: Buffer, start: number, end: number): ErrorFields {
  const fields = new FieldReader(bytes, start, end);
  const found: { -readonly [K in keyof ErrorFields]: ErrorFields[K] } = {
    severity: 'ERROR',
    code: 'XX000',
    message: '',
  };
  let plainSeverity = false;
  for (;;) {
    const field = fields.byte();
    if (field === 0) return found;
    const text = fields.cstring();
    const name = TEXT_FIELDS.get(field);
    if (name !== undefined) {
      found[name] = text;
    } else if (field === FIELD_SEVERITY_PLAIN) {
      found.severity = text;
      plainSeverity = true;
    } else if (field === FIELD_SEVERITY && !plainSeverity) {
      found.severity = text;
    } else if (field === FIELD_POSITION) {
      found.position = Number(text);
    }
  }
}

/** Columns of a DataRow as views; a row that does not fit its message is a violation. */
export function parseDataRow(
  bytes: Buffer,
  start: number,
  end: number,
): (Buffer | null)[] | ProtocolViolation {
  if (end - start < 2) return malformed('DataRow');
  const count = bytes.readInt16BE(start);
  const columns: (Buffer | null)[] = [];
  let at = start + 2;
  for (let index = 0; index < count; index += 1) {
    if (end - at < 4) return malformed('DataRow');
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === -1) {
      columns.push(null);
      continue;
    }
    if (length < 0 || length > end - at) return malformed('DataRow');
    columns.push(bytes.subarray(at, at + length));
    at += length;
  }
  return columns;
}

export function parseRowDescription(
  bytes: Buffer,
  start: number,
  end: number,
): ColumnDescription[] | ProtocolViolation {
  const fields = new FieldReader(bytes, start, end);
  const count = fields.int16();
  const columns: ColumnDescription[] = [];
  for (let index = 0; index < count && !fields.overrun; index += 1) {
    const name = fields.cstring();
    fields.bytes(6); // table OID, column number
    const typeOid = fields.int32() >>> 0;
    fields.bytes(6); // type length, type modifier
    columns.push({ name, typeOid, format: fields.int16() === 1 ? 1 : 0 });
  }
  return fields.overrun ? malformed('RowDescription') : columns;
}

export function parseNotification(
  bytes: Buffer,
  start: number,
  end: number,
): Notification | ProtocolViolation {
  const fields = new FieldReader(bytes, start, end);
  const notification = { processId: fields.int32(), channel: fields.cstring(), payload: fields.cstring() };
  return fields.overrun ? malformed('NotificationResponse') : notification;
}

/** `INSERT 0 1`, `CREATE TABLE` … */
export function parseCommandTag(bytes: Buffer, start: number, end: number): string {
  return new FieldReader(bytes, start, end).cstring();
}

export function malformed(message: string): ProtocolViolation {
  return { kind: 'protocol-violation', reason: `malformed ${message}` };
}

export function isViolation(value: object): value is ProtocolViolation {
  return 'kind' in value && value.kind === 'protocol-violation';
}

export function writeAuthenticationOk(writer: MessageWriter): void {
  writer.begin(BACKEND.authentication);
  writer.int32(0);
  writer.end();
}

export function writeParameterStatus(writer: MessageWriter, name: string, value: string): void {
  writer.begin(BACKEND.parameterStatus);
  writer.cstring(name);
  writer.cstring(value);
  writer.end();
}

export function writeBackendKeyData(writer: MessageWriter, processId: number, secretKey: number): void {
  writer.begin(BACKEND.backendKeyData);
  writer.int32(processId);
  writer.int32(secretKey);
  writer.end();
}

export function writeReadyForQuery(writer: MessageWriter, status: keyof typeof TRANSACTION): void {
  writer.begin(BACKEND.readyForQuery);
  writer.byte(TRANSACTION[status]);
  writer.end();
}

/** Announces that a newer minor version, or options of one, are not spoken here. */
export function writeNegotiateProtocolVersion(
  writer: MessageWriter,
  unknownOptions: readonly string[],
): void {
  writer.begin(BACKEND.negotiateProtocolVersion);
  writer.int32(STARTUP.protocol30);
  writer.int32(unknownOptions.length);
  for (const option of unknownOptions) writer.cstring(option);
  writer.end();
}

export function writeNotification(writer: MessageWriter, notification: Notification): void {
  writer.begin(BACKEND.notificationResponse);
  writer.int32(notification.processId);
  writer.cstring(notification.channel);
  writer.cstring(notification.payload);
  writer.end();
}

/** What a server of our own reports; `severity` FATAL says that the connection ends. */
export function writeErrorResponse(
  writer: MessageWriter,
  error: { severity: 'ERROR' | 'FATAL'; code: string; message: string; hint?: string },
): void {
  writer.begin(BACKEND.errorResponse);
  writeErrorField(writer, FIELD_SEVERITY, error.severity);
  writeErrorField(writer, FIELD_SEVERITY_PLAIN, error.severity);
  writeErrorField(writer, 0x43, error.code);
  writeErrorField(writer, 0x4d, error.message);
  if (error.hint !== undefined) writeErrorField(writer, 0x48, error.hint);
  writer.byte(0);
  writer.end();
}

function writeErrorField(writer: MessageWriter, field: number, text: string): void {
  writer.byte(field);
  writer.cstring(text);
}
