// Bodies of multipart/form-data, part by part, each streamed to where the handler wants it (RFC 7578). What finds the parts is
// @fastify/busboy.
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { HowdahError } from '../errors.ts';
import { parseMediaType } from '../protocol/http/media-type.ts';

/** Limits of the parts of a form. */
export interface MultipartOptions {
  /** Largest part in bytes. Default: none but the limit of the route (`maxBodyBytes`). */
  readonly maxPartBytes?: number;
  /** Default 1000. */
  readonly maxParts?: number;
}

/** How far a part has been written. */
export interface Progress {
  /** Of this part, so far. */
  readonly bytes: number;
  /** Of the whole request, where it was announced; else null. */
  readonly totalBytes: number | null;
}

/** Who is told while a part is written. */
export interface SaveOptions {
  /** Called with each piece that was written. */
  readonly onProgress?: (progress: Progress) => void;
}

const MAX_PARTS = 1000;
/** Of the fields of one part: names of forms and files, and their types. */
const MAX_HEADER_BYTES = 16_384;
const MAX_TEXT_BYTES = 1_000_000;

/** One part. Its content is read once: as a stream, whole, or to a file. What is not read is skipped when the next part is asked for. */
export class Part implements AsyncIterable<Buffer> {
  /** Of the field of the form. */
  readonly name: string;
  /** As the client gives it, without directories; null for what is no file. Never a name to save by as it is. */
  readonly filename: string | null;
  readonly contentType: string;
  readonly #stream: BusboyFileStream;
  readonly #totalBytes: number | null;
  readonly #explain: (error: unknown) => unknown;

  constructor(
    head: { readonly name: string; readonly filename: string | null; readonly contentType: string },
    stream: BusboyFileStream,
    totalBytes: number | null,
    explain: (error: unknown) => unknown,
  ) {
    this.name = head.name;
    this.filename = head.filename;
    this.contentType = head.contentType;
    this.#stream = stream;
    this.#totalBytes = totalBytes;
    this.#explain = explain;
  }

  /** The content as it comes. @throws HowdahError HOWDAH_BODY_TOO_LARGE (413) at the limit, HOWDAH_BODY_MALFORMED (400) where it is cut off */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      // Whoever stops reading half-way has not lost the parts after this one: the rest is then skipped.
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** The whole content. Default limit 1 000 000 bytes. */
  async bytes(limitBytes = MAX_TEXT_BYTES): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this) {
      length += chunk.length;
      if (length > limitBytes) throw partTooLarge(this.name, limitBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  }

  /** The whole content as UTF-8. Default limit 1 000 000 bytes. */
  async text(limitBytes = MAX_TEXT_BYTES): Promise<string> {
    return (await this.bytes(limitBytes)).toString('utf8');
  }

  /**
   * Writes the content to a file, with flat memory, and gives its size. The file is there when all of it is, in place of one that was
   * there before; when anything goes wrong, nothing is left.
   */
  async save(path: string, { onProgress }: SaveOptions = {}): Promise<number> {
    const unfinished = `${path}.${randomUUID()}.part`;
    let bytes = 0;
    const totalBytes = this.#totalBytes;
    const content = this[Symbol.asyncIterator]();
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of content) {
        bytes += chunk.length;
        yield chunk;
        onProgress?.({ bytes, totalBytes });
      }
    }
    try {
      await pipeline(counted, createWriteStream(unfinished, { flags: 'wx' }));
      await rename(unfinished, path);
    } catch (error) {
      await unlink(unfinished).catch(() => {});
      throw error;
    }
    return bytes;
  }

  /** Reads what is left of it to nowhere. */
  skip(): void {
    this.#stream.on('error', () => {});
    this.#stream.resume();
  }
}

const tooLarge = (detail: string): HowdahError => new HowdahError('HOWDAH_BODY_TOO_LARGE', detail);

const partTooLarge = (name: string, limitBytes: number): HowdahError =>
  tooLarge(`the part ${name} has more than ${limitBytes} bytes`);

/**
 * The parts of a form, in order.
 * @throws HowdahError HOWDAH_BODY_TYPE (415) where the body is no multipart/form-data
 */
export function multipart(request: Request, options: MultipartOptions = {}): AsyncIterableIterator<Part> {
  const contentType = request.headers.get('content-type') ?? '';
  const type = parseMediaType(contentType);
  if (
    type?.type !== 'multipart' ||
    type.subtype !== 'form-data' ||
    (type.parameters.get('boundary') ?? '') === ''
  ) {
    throw new HowdahError('HOWDAH_BODY_TYPE', 'multipart/form-data with a boundary is');
  }
  return parts(request, contentType, options);
}

async function* parts(
  request: Request,
  contentType: string,
  options: MultipartOptions,
): AsyncGenerator<Part> {
  const { maxPartBytes = Infinity, maxParts = MAX_PARTS } = options;
  const announced = request.headers.get('content-length');
  const totalBytes = announced === null ? null : Number(announced);
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    isPartAFile: () => true,
    limits: {
      fileSize: maxPartBytes,
      parts: maxParts,
      headerSize: MAX_HEADER_BYTES,
    },
  });
  const waiting: Part[] = [];
  let current: BusboyFileStream | null = null;
  let failure: unknown = null;
  let ended = false;
  let wake: (() => void) | null = null;
  const changed = (): void => wake?.();
  const fail = (error: unknown): void => {
    failure ??= error;
    current?.destroy(failure instanceof Error ? failure : new Error(String(failure)));
    changed();
  };
  // What the parser says of a part is that it is malformed; what went wrong before it is as it is.
  const explain = (error: unknown): unknown => failure ?? malformed(error);
  parser.on('file', (name, stream, filename, _encoding, mimetype) => {
    current = stream;
    // Whoever reads it is told; where nobody does, this keeps it from being unhandled.
    stream.on('error', () => {});
    // At once: as much again may be on its way as the body may have in all.
    stream.on('limit', () => fail(partTooLarge(name ?? '', maxPartBytes)));
    const head = { name: name ?? '', filename: filename ?? null, contentType: mimetype };
    waiting.push(new Part(head, stream, totalBytes, explain));
    changed();
  });
  parser.on('partsLimit', () => fail(tooLarge(`more than ${maxParts} parts`)));
  parser.on('error', (error) => fail(malformed(error)));
  parser.on('finish', () => {
    ended = true;
    changed();
  });
  const source = request.body?.getReader() ?? null;
  const feeding = feed(source, parser).catch(fail);
  try {
    for (;;) {
      const part = waiting.shift();
      if (part !== undefined) {
        yield part;
        part.skip();
      } else if (failure !== null) {
        throw failure;
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    // Whoever leaves early wants no more of it.
    if (!ended) fail(new HowdahError('HOWDAH_BODY_MALFORMED', 'its parts are not read to the end'));
    parser.destroy();
    // What it waits for may never come.
    await source?.cancel(failure).catch(() => {});
    await feeding;
  }
}

/** Gives the body to the parser as fast as that takes it: as fast as the parts are read. */
async function feed(
  source: ReadableStreamDefaultReader<Uint8Array> | null,
  parser: BusboyInstance,
): Promise<void> {
  for (let read = await source?.read(); read?.done === false; read = await source?.read()) {
    if (parser.destroyed) return;
    if (!parser.write(read.value)) await drained(parser);
  }
  if (!parser.destroyed) parser.end();
}

function drained(parser: BusboyInstance): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      parser.off('drain', done).off('close', done);
      resolve();
    };
    parser.on('drain', done).on('close', done);
  });
}

function malformed(error: unknown): HowdahError {
  const message = error instanceof Error ? error.message : String(error);
  return new HowdahError('HOWDAH_BODY_MALFORMED', message, { cause: error });
}
