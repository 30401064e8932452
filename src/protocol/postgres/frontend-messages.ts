// Encoders of the messages that a client sends. They write into a MessageWriter and send nothing.
import { FRONTEND, STARTUP, TARGET } from './message-types.ts';
import type { MessageWriter } from './message-writer.ts';

export function writeStartup(writer: MessageWriter, parameters: Readonly<Record<string, string>>): void {
  writer.beginUntyped();
  writer.int32(STARTUP.protocol30);
  for (const [name, value] of Object.entries(parameters)) {
    writer.cstring(name);
    writer.cstring(value);
  }
  writer.byte(0);
  writer.end();
}

export function writeCancelRequest(writer: MessageWriter, processId: number, secretKey: Uint8Array): void {
  writer.beginUntyped();
  writer.int32(STARTUP.cancelRequest);
  writer.int32(processId);
  writer.bytes(secretKey);
  writer.end();
}

export function writeQuery(writer: MessageWriter, text: string): void {
  writer.begin(FRONTEND.query);
  writer.cstring(text);
  writer.end();
}

/** `parameterTypes`: OIDs; 0 lets the server infer the type. */
export function writeParse(
  writer: MessageWriter,
  statement: string,
  text: string,
  parameterTypes: readonly number[] = [],
): void {
  writer.begin(FRONTEND.parse);
  writer.cstring(statement);
  writer.cstring(text);
  writer.int16(parameterTypes.length);
  for (const type of parameterTypes) writer.int32(type);
  writer.end();
}

/** Strings go in text format, bytes in binary format. `resultFormat` holds for all result columns. */
export function writeBind(
  writer: MessageWriter,
  portal: string,
  statement: string,
  parameters: readonly (string | Uint8Array | null)[],
  resultFormat: 0 | 1,
): void {
  writer.begin(FRONTEND.bind);
  writer.cstring(portal);
  writer.cstring(statement);
  let binary = false;
  for (const parameter of parameters) {
    if (parameter !== null && typeof parameter !== 'string') {
      binary = true;
      break;
    }
  }
  if (binary) {
    writer.int16(parameters.length);
    for (const parameter of parameters) {
      writer.int16(parameter === null || typeof parameter === 'string' ? 0 : 1);
    }
  } else {
    writer.int16(0);
  }
  writer.int16(parameters.length);
  for (const parameter of parameters) writer.value(parameter);
  writer.int16(1);
  writer.int16(resultFormat);
  writer.end();
}

/**
 * Binds arrays of one dimension: of each parameter one with the values of all `rows`, in the binary format (array_recv). Strings are elements of
 * text arrays.
 */
export function writeBindArrays(
  writer: MessageWriter,
  portal: string,
  statement: string,
  rows: readonly (readonly (string | Uint8Array | null)[])[],
  elementTypes: readonly number[],
  resultFormat: 0 | 1,
): void {
  writer.begin(FRONTEND.bind);
  writer.cstring(portal);
  writer.cstring(statement);
  writer.int16(1);
  writer.int16(1);
  writer.int16(elementTypes.length);
  for (let column = 0; column < elementTypes.length; column += 1) {
    const begin = writer.beginValue();
    writer.int32(1); // dimensions
    writer.int32(0); // whether there are nulls, which is not looked at
    writer.int32(elementTypes[column] ?? 0);
    writer.int32(rows.length);
    writer.int32(1); // lower bound
    for (const row of rows) writer.value(row[column] ?? null);
    writer.endValue(begin);
  }
  writer.int16(1);
  writer.int16(resultFormat);
  writer.end();
}

export function writeDescribe(writer: MessageWriter, target: 'statement' | 'portal', name: string): void {
  writer.begin(FRONTEND.describe);
  writer.byte(TARGET[target]);
  writer.cstring(name);
  writer.end();
}

/** `maxRows` 0: all of them. */
export function writeExecute(writer: MessageWriter, portal: string, maxRows = 0): void {
  writer.begin(FRONTEND.execute);
  writer.cstring(portal);
  writer.int32(maxRows);
  writer.end();
}

export function writeClose(writer: MessageWriter, target: 'statement' | 'portal', name: string): void {
  writer.begin(FRONTEND.close);
  writer.byte(TARGET[target]);
  writer.cstring(name);
  writer.end();
}

export function writeSync(writer: MessageWriter): void {
  writer.begin(FRONTEND.sync);
  writer.end();
}

export function writeFlush(writer: MessageWriter): void {
  writer.begin(FRONTEND.flush);
  writer.end();
}

export function writeCopyData(writer: MessageWriter, data: Uint8Array): void {
  writer.begin(FRONTEND.copyData);
  writer.bytes(data);
  writer.end();
}

export function writeCopyFail(writer: MessageWriter, reason: string): void {
  writer.begin(FRONTEND.copyFail);
  writer.cstring(reason);
  writer.end();
}

export function writeTerminate(writer: MessageWriter): void {
  writer.begin(FRONTEND.terminate);
  writer.end();
}
