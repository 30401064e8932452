// A stream handler that decompresses request bodies (RFC 9110 §8.4): handlers further in see neither Content-Encoding nor compressed
// bytes. Decompresses no more than they ask for, and stops at what is out of proportion.
import { getFieldValues, type FieldLines } from '../protocol/http/field-lines.ts';
import { parseTokens } from '../protocol/http/field-scanner.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { Command, Commands } from './command.ts';
import { DECOMPRESSING_CODINGS, decompressor, type Decompressor } from './content-codings.ts';
import { InnerStream } from './inner-stream.ts';
import { plainError } from './stream.ts';
import type { StreamEnd, StreamHandle, StreamHandler, StreamHandlerFactory } from './stream-handler.ts';

/** The limits of decompress(). */
export interface DecompressOptions {
  /** A body may become at most so much larger; then 413. Text gets to 20, made-up text to 50. Default 100. */
  readonly maxRatio?: number;
  /** A body may become at most so large; then 413. Default 100 000 000. Limits of handlers count what is decompressed, too. */
  readonly maxBytes?: number;
}

/** Up to this, a body may be out of proportion: it is small. */
const ANY_RATIO_BYTES = 65_536;

/** Several codings on top of one another are allowed, and nobody does it; each costs memory. */
const MAX_CODINGS = 2;

/** Compressed bytes that are asked for at a time. */
const ASK_BYTES = 65_536;

const NOT_ITS_CODING = 'the body is not what its content-encoding says';

/** Decompresses request bodies; 415 for a coding that it does not know, 400 for what is none. */
export function decompress(options: DecompressOptions = {}): StreamHandlerFactory {
  const limits = { maxRatio: options.maxRatio ?? 100, maxBytes: options.maxBytes ?? 100_000_000 };
  return {
    open(stream, next) {
      if (!stream.head.hasBody) return next();
      const codings = codingsOf(stream.head.fields);
      if (codings.length === 0) return next();
      const steps = codings.length > MAX_CODINGS ? null : decompressors(codings);
      if (steps === null) return new Refusal(codings.join(', '));
      return new DecompressHandler(stream, next, steps, limits);
    },
  };
}

/** In the order applied; `identity` is none. */
function codingsOf(fields: FieldLines): string[] {
  const values = getFieldValues(fields, 'content-encoding');
  if (values.length === 0) return values;
  const text = values.join(',');
  const codings = parseTokens(text) ?? [text];
  return codings.filter((coding) => coding !== 'identity');
}

/** The last coding was applied last, and is undone first. Null where one is not known. */
function decompressors(codings: readonly string[]): readonly [Decompressor, ...Decompressor[]] | null {
  const steps: Decompressor[] = [];
  for (const coding of codings.toReversed()) {
    const step = decompressor(coding);
    if (step === null) {
      for (const made of steps) made.destroy();
      return null;
    }
    steps.push(step);
  }
  const [first, ...others] = steps;
  return first === undefined ? null : [first, ...others];
}

/** Answers by itself, and never asks for the body. */
class Refusal implements StreamHandler {
  readonly #codings: string;

  constructor(codings: string) {
    this.#codings = codings;
  }

  init(): Commands {
    const error = plainError(415, '', `the content coding is not known: ${JSON.stringify(this.#codings)}`);
    return { ...error, fields: [...error.fields, 'accept-encoding', DECOMPRESSING_CODINGS] };
  }

  data(): Commands {
    return null;
  }

  end(): Commands {
    return null;
  }

  info(): Commands {
    return null;
  }

  terminate(): void {}
}

/** Cast to the stream when there may be something to do. */
class Wake {
  readonly owner: DecompressHandler;
  constructor(owner: DecompressHandler) {
    this.owner = owner;
  }
}

class DecompressHandler implements StreamHandler {
  readonly #stream: StreamHandle;
  readonly #inner: StreamHandler;
  readonly #limits: Required<DecompressOptions>;
  readonly #steps: readonly Decompressor[];
  readonly #first: Decompressor;
  readonly #last: Decompressor;
  readonly #wake = new Wake(this);
  #awake = false;
  /** Decompressed bytes that the handlers further in have asked for. */
  #wanted = 0;
  /** Compressed bytes that were asked for and have not come. */
  #awaited = 0;
  #receivedBytes = 0;
  #decodedBytes = 0;
  #trailers: FieldLines | null = null;
  #answered = false;
  #over = false;
  #fault: string | null = null;

  constructor(
    stream: StreamHandle,
    next: (stream: StreamHandle) => StreamHandler,
    steps: readonly [Decompressor, ...Decompressor[]],
    limits: Required<DecompressOptions>,
  ) {
    this.#stream = stream;
    this.#limits = limits;
    this.#steps = steps;
    this.#first = steps[0];
    this.#last = steps.at(-1) ?? steps[0];
    this.#inner = next(new InnerStream(stream, { head: decodedHead(stream.head) }));
    for (const [i, step] of steps.entries()) {
      step.on('error', (error) => this.#fail(error.message));
      const following = steps[i + 1];
      if (following !== undefined) step.pipe(following);
    }
    this.#last.on('readable', () => this.#castWake());
    this.#last.on('end', () => this.#castWake());
  }

  init(): Commands {
    return this.#pass(this.#inner.init());
  }

  data(chunk: Buffer): Commands {
    if (this.#over) return null;
    this.#receivedBytes += chunk.length;
    this.#awaited -= chunk.length;
    if (this.#last.readableEnded) this.#fail('something follows its end');
    // The chunk is valid during the call only.
    else this.#first.write(Buffer.from(chunk), () => this.#castWake());
    return null;
  }

  end(trailers: FieldLines): Commands {
    if (this.#over) return null;
    this.#trailers = trailers;
    this.#first.end();
    this.#castWake();
    return null;
  }

  info(message: unknown): Commands {
    if (!(message instanceof Wake) || message.owner !== this) return this.#pass(this.#inner.info(message));
    this.#awake = false;
    return this.#over ? null : this.#handOn();
  }

  terminate(end: StreamEnd): void {
    this.#over = true;
    for (const step of this.#steps) step.destroy();
    this.#inner.terminate(end);
  }

  /** Gives what there is to the handlers further in, as far as they want it, and asks for more. */
  #handOn(): Commands {
    const commands: Command[] = [];
    for (;;) {
      if (this.#fault !== null) {
        commands.push(...this.#refuse(400, `${NOT_ITS_CODING}: ${this.#fault}`));
        return commands;
      }
      const chunk = this.#read();
      if (chunk === null) break;
      this.#wanted -= chunk.length;
      this.#decodedBytes += chunk.length;
      if (this.#isOutOfProportion()) {
        commands.push(...this.#refuse(413, 'the body is too large when it is decompressed'));
        return commands;
      }
      append(commands, this.#pass(this.#inner.data(chunk)));
    }
    if (this.#last.readableEnded && this.#trailers !== null) {
      // Nobody else would read what follows the end in the same way.
      if (this.#first.bytesWritten < this.#receivedBytes) {
        commands.push(...this.#refuse(400, `${NOT_ITS_CODING}: something follows its end`));
        return commands;
      }
      this.#over = true;
      append(commands, this.#pass(this.#inner.end(this.#trailers)));
    } else if (this.#needsMore()) {
      this.#awaited = ASK_BYTES;
      commands.push({ kind: 'flow', bytes: ASK_BYTES });
    }
    return commands;
  }

  /** At most what is wanted. */
  #read(): Buffer | null {
    const { readableLength } = this.#last;
    // With nothing in it, read() is what makes a stream that is at its end say so.
    if (readableLength === 0) return this.#last.read() as Buffer | null;
    return this.#wanted === 0
      ? null
      : (this.#last.read(Math.min(this.#wanted, readableLength)) as Buffer | null);
  }

  #needsMore(): boolean {
    if (this.#wanted === 0 || this.#awaited > 0 || this.#trailers !== null) return false;
    // At its end it takes nothing and says nothing any more; what still comes is wrong, and the end of the request is awaited.
    if (this.#last.readableEnded) return true;
    return this.#last.readableLength === 0 && !this.#first.writableNeedDrain;
  }

  #isOutOfProportion(): boolean {
    const { maxBytes, maxRatio } = this.#limits;
    if (this.#decodedBytes > maxBytes) return true;
    return this.#decodedBytes > ANY_RATIO_BYTES && this.#decodedBytes > maxRatio * this.#receivedBytes;
  }

  #refuse(status: number, detail: string): Command[] {
    this.#over = true;
    return [this.#answered ? { kind: 'abort' } : plainError(status, '', detail)];
  }

  #fail(message: string): void {
    this.#fault ??= message;
    this.#castWake();
  }

  #castWake(): void {
    if (this.#awake || this.#over) return;
    this.#awake = true;
    this.#stream.cast(this.#wake);
  }

  /** What the handlers further in ask of the body is asked of the decompressor. */
  #pass(commands: Commands): Commands {
    if (commands === null) return null;
    const passed: Command[] = [];
    for (const command of isList(commands) ? commands : [commands]) {
      if (command.kind === 'flow') {
        this.#wanted += command.bytes;
        this.#castWake();
        continue;
      }
      this.#answered ||= command.kind === 'response' || command.kind === 'headers';
      passed.push(command);
    }
    return passed;
  }
}

function append(list: Command[], commands: Commands): void {
  if (commands === null) return;
  if (isList(commands)) list.push(...commands);
  else list.push(commands);
}

/** Its length is not known any more. */
function decodedHead(head: RequestHead): RequestHead {
  const fields: string[] = [];
  for (let i = 0; i < head.fields.length; i += 2) {
    const name = head.fields[i] ?? '';
    if (name !== 'content-encoding' && name !== 'content-length') fields.push(name, head.fields[i + 1] ?? '');
  }
  return {
    method: head.method,
    authority: head.authority,
    path: head.path,
    query: head.query,
    version: head.version,
    fields,
    hasBody: true,
    contentLength: null,
    expectContinue: head.expectContinue,
  };
}

function isList(commands: Command | readonly Command[]): commands is readonly Command[] {
  return Array.isArray(commands);
}
