// Buffer's native latin1 conversions. toString() and write() come to them after deciding on the encoding, which costs as
// much again as the conversion of a message head; the types of Node leave them out.

interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, start: number): number;
}

/** The bytes from `start` to `end` as text of as many characters. */
export function sliceLatin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & Latin1Buffer).latin1Slice(start, end);
}

/** Writes one byte per character; the caller knows that there is room, and no character above U+00FF. Returns how many. */
export function writeLatin1(bytes: Buffer, text: string, start: number): number {
  return (bytes as Buffer & Latin1Buffer).latin1Write(text, start);
}
