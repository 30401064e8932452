// The few PostgreSQL messages that the raw loop needs, on purpose apart from howdah's own, which is measured against it.

function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const sync = message('S');

/** Prepares a statement under a name; the server infers the types of its parameters. */
export function parse(name: string, text: string): Buffer {
  return Buffer.concat([message('P', `${name}\0`, `${text}\0`, int16(0)), sync]);
}

const TEXT = 0;
const BINARY = 1;

/**
 * Runs a prepared statement with one parameter, in text format, in a transaction of
 * its own: Bind, Execute, Sync. The result comes in binary format.
 */
export function call(name: string, parameter: string): Buffer {
  const value = Buffer.from(parameter);
  const parameters = Buffer.concat([int16(1), int16(TEXT), int16(1), int32(value.length), value]);
  const results = Buffer.concat([int16(1), int16(BINARY)]);
  return Buffer.concat([
    message('B', '\0', `${name}\0`, parameters, results),
    message('E', '\0', int32(0)),
    sync,
  ]);
}

/** The first column of every row in an answer; throws on an error in it. */
export function firstColumns(answer: Uint8Array): Buffer[] {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const type = String.fromCharCode(bytes[at] ?? 0);
    if (type === 'E') throw new Error(`PostgreSQL: ${bytes.toString('utf8', at + 5, at + 200)}`);
    if (type === 'D') found.push(bytes.subarray(at + 11, at + 11 + bytes.readInt32BE(at + 7)));
  }
  return found;
}
