// Messages as whole frames, made once to be sent on many connections: a server's frames bear no mask, so that all get the same
// bytes.
import { makeFrame } from './frame-writer.ts';
import { BINARY, FIN_BIT, TEXT } from './opcode.ts';

/** A message in one frame, uncompressed, for any number of connections. */
export interface PreparedMessage {
  readonly frame: Buffer;
}

/** Lone surrogates become U+FFFD. */
export function prepareText(text: string): PreparedMessage {
  return { frame: makeFrame(FIN_BIT | TEXT, Buffer.from(text)) };
}

export function prepareBinary(data: Uint8Array): PreparedMessage {
  return { frame: makeFrame(FIN_BIT | BINARY, data) };
}
