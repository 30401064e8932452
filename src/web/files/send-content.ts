// Sends what a content plan says, from memory or from an open file, with flat memory and as fast as the client takes it.
import type { FileHandle } from 'node:fs/promises';
import type { Exchange } from '../exchange.ts';
import { pieceLength, type ContentPlan, type Piece } from './content-plan.ts';

/** Read and sent at a time: enough for a fast connection, and what a slow one may keep of a file. */
const CHUNK_BYTES = 131_072;

/** Answers with bytes of `content`. */
export function sendFromMemory(exchange: Exchange, plan: ContentPlan, content: Buffer): void {
  const { status, fields, pieces, length } = plan;
  if (pieces === null || exchange.head.method === 'HEAD') {
    sendHead(exchange, plan);
    return;
  }
  const parts = pieces.map((piece) => bytesOf(piece, content));
  exchange.respond({
    status,
    fields,
    body: parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts, length),
  });
}

function bytesOf(piece: Piece, content: Buffer): Buffer {
  return Buffer.isBuffer(piece) ? piece : content.subarray(piece.first, piece.last + 1);
}

/** Answers with bytes of the file, and closes it, however that ends. */
export function sendFromFile(exchange: Exchange, plan: ContentPlan, handle: FileHandle): void {
  const { status, fields, pieces, length } = plan;
  if (pieces === null || exchange.head.method === 'HEAD' || exchange.closed) {
    void handle.close();
    sendHead(exchange, plan);
    return;
  }
  exchange.respondStreamed({
    status,
    fields: [...fields, 'content-length', String(length)],
    body: fileBody(handle, pieces),
  });
}

/** The content as a sequence of buffers; closes the file at its end, or when nobody wants the rest, or any of it. */
export function fileBody(handle: FileHandle, pieces: readonly Piece[]): AsyncIterableIterator<Buffer> {
  const content = piecesOf(handle, pieces);
  let begun = false;
  return {
    next() {
      begun = true;
      return content.next();
    },
    async return() {
      // A generator that was never asked for anything ends without a look at its `finally`.
      if (!begun) await handle.close();
      begun = true;
      return content.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* piecesOf(handle: FileHandle, pieces: readonly Piece[]): AsyncGenerator<Buffer> {
  try {
    for (const piece of pieces) {
      if (Buffer.isBuffer(piece)) yield piece;
      else yield* fileRange(handle, piece.first, pieceLength(piece));
    }
  } finally {
    await handle.close();
  }
}

/** Fewer bytes where the file has been cut: the answer is then found to be too short, and the client told by a reset. */
async function* fileRange(handle: FileHandle, first: number, length: number): AsyncGenerator<Buffer> {
  let sent = 0;
  while (sent < length) {
    // A buffer of its own for each: it is kept until the client has it.
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, length - sent));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, first + sent);
    if (bytesRead === 0) return;
    sent += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** What has no content: of a HEAD, the length that GET has. */
function sendHead(exchange: Exchange, { status, fields, pieces, length }: ContentPlan): void {
  if (pieces !== null) {
    exchange.respond({ status, fields: [...fields, 'content-length', String(length)], body: null });
  } else if (status === 304) {
    exchange.respond({ status, fields, body: null });
  } else {
    exchange.respond({ status, fields, body: '' });
  }
}
