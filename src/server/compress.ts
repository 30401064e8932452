// A stream handler that compresses responses. Which may be is compressible.ts, the codings are content-codings.ts.
//
//   open ──response──► whole (in another thread) ──► done       small bodies: at once
//     └────headers───► compressing ──data… last/trailers/stop──► done
//     └────headers───► passing (nothing to compress)
import { getField, getFieldValues, NO_FIELDS, type FieldLines } from '../protocol/http/field-lines.ts';
import { chooseEncoding } from '../protocol/http/negotiation.ts';
import {
  responseField,
  withoutFields,
  withVary,
  withWeakEtag,
} from '../protocol/http/response-field-edit.ts';
import { parseWeighted } from '../protocol/http/weighted.ts';
import type { Command, Commands, ResponseCommand } from './command.ts';
import { isCompressibleType, isEventStream, mayCompress } from './compressible.ts';
import { COMPRESSING_CODINGS, compression } from './content-codings.ts';
import type { Compression, ContentCoding, Levels } from './content-codings.ts';
import { DRAINED, type StreamEnd, type StreamHandle, type StreamHandler } from './stream-handler.ts';
import type { StreamHandlerFactory } from './stream-handler.ts';
import { InnerStream } from './inner-stream.ts';

/** The head of a response that may be compressed. */
export interface ResponseHead {
  readonly status: number;
  readonly fields: FieldLines;
}

/** What compress() is to do. */
export interface CompressOptions {
  /** Codings to send, in order of preference; default zstd (where Node.js has it), br, gzip. */
  readonly codings?: readonly ContentCoding[];
  /** A response whose length is known and less than this is left as it is. Default 300 bytes, Cowboy's. */
  readonly thresholdBytes?: number;
  /** Level of each coding: gzip 0 to 9 (6), br 0 to 11 (4), zstd 1 to 22 (3). */
  readonly levels?: Levels;
  /** Whether content of that type gets smaller; default: text, JSON, XML, fonts and the like. */
  readonly types?: (contentType: string) => boolean;
  /**
   * Whether pieces of a streamed response may wait in the compressor for more: smaller, but later. Default false: each piece is
   * sent as it comes. A function chooses for each response; an event stream never waits.
   */
  readonly buffering?: boolean | ((response: ResponseHead) => boolean);
}

/** Bodies up to this are compressed at once (0.3 ms at most); larger ones in another thread. */
const MAX_BLOCKING_BYTES = 32_768;

/** Different values of Accept-Encoding that are remembered: a client may send any. */
const MAX_KNOWN_VALUES = 200;

interface Settings {
  readonly thresholdBytes: number;
  readonly types: (contentType: string) => boolean;
  readonly buffering: boolean | ((response: ResponseHead) => boolean);
}

/** Compresses responses where the client accepts it. Stands before (outside of) the handlers whose responses it sees. */
export function compress(options: CompressOptions = {}): StreamHandlerFactory {
  const { codings = COMPRESSING_CODINGS, levels = {} } = options;
  const offered = new Map<string, Compression>(
    codings.map((coding) => [coding, compression(coding, levels)]),
  );
  const settings: Settings = {
    thresholdBytes: options.thresholdBytes ?? 300,
    types: options.types ?? isCompressibleType,
    buffering: options.buffering ?? false,
  };
  const known = new Map<string, Compression | null>();
  const choose = (fields: FieldLines): Compression | null => {
    if (getField(fields, 'accept-encoding') === undefined) return null;
    const text = getFieldValues(fields, 'accept-encoding').join(',');
    const remembered = known.get(text);
    if (remembered !== undefined) return remembered;
    // A malformed field accepts nothing.
    const coding = chooseEncoding(parseWeighted(text) ?? [], codings);
    const chosen = offered.get(coding ?? 'identity') ?? null;
    if (known.size < MAX_KNOWN_VALUES) known.set(text, chosen);
    return chosen;
  };
  return {
    open: (stream, next) => new CompressHandler(stream, next, choose(stream.head.fields), settings),
  };
}

/** What the compressor of one stream has made; cast to it. */
class Made {
  readonly owner: CompressHandler;
  readonly commands: Commands;
  constructor(owner: CompressHandler, commands: Commands) {
    this.owner = owner;
    this.commands = commands;
  }
}

class CompressHandler implements StreamHandler {
  readonly #stream: StreamHandle;
  readonly #inner: StreamHandler;
  readonly #compression: Compression | null;
  readonly #settings: Settings;
  #thresholdBytes: number;
  #buffering: boolean | null = null;
  #enabled = true;
  #state: 'open' | 'whole' | 'compressing' | 'passing' = 'open';
  #compressor: ReturnType<Compression['stream']> | null = null;
  #flushes = false;
  /** The compressor has taken all that it takes for now. */
  #full = false;
  #trailers: FieldLines = NO_FIELDS;

  constructor(
    stream: StreamHandle,
    next: (stream: StreamHandle) => StreamHandler,
    chosen: Compression | null,
    settings: Settings,
  ) {
    this.#stream = stream;
    this.#compression = chosen;
    this.#settings = settings;
    this.#thresholdBytes = settings.thresholdBytes;
    this.#inner = next(chosen === null ? stream : new InnerStream(stream, { isFull: () => this.#full }));
  }

  init(): Commands {
    return this.#pass(this.#inner.init());
  }

  data(chunk: Buffer): Commands {
    return this.#pass(this.#inner.data(chunk));
  }

  end(trailers: FieldLines): Commands {
    return this.#pass(this.#inner.end(trailers));
  }

  info(message: unknown): Commands {
    if (message instanceof Made && message.owner === this) {
      if (message.commands !== null) return message.commands;
      // The compressor has room again.
      this.#full = false;
      return this.#stream.writable ? this.#pass(this.#inner.info(DRAINED)) : null;
    }
    // Told later, when the compressor has room.
    if (message === DRAINED && this.#full) return null;
    return this.#pass(this.#inner.info(message));
  }

  terminate(end: StreamEnd): void {
    this.#compressor?.destroy();
    this.#inner.terminate(end);
  }

  #pass(commands: Commands): Commands {
    if (commands === null) return null;
    if (!isList(commands)) return this.#passOne(commands);
    const passed: Command[] = [];
    for (const command of commands) {
      const made = this.#passOne(command);
      if (made !== null) passed.push(made);
    }
    return passed;
  }

  #passOne(command: Command): Command | null {
    const { kind } = command;
    if (kind === 'set-options') {
      this.#setOptions(command);
      return command;
    }
    if (kind === 'response' || kind === 'headers') {
      if (this.#state !== 'open') return this.#late(command);
      return kind === 'response' ? this.#respond(command) : this.#begin(command);
    }
    if (kind !== 'data' && kind !== 'trailers' && kind !== 'stop') return command;
    if (this.#compressor === null) return this.#late(command);
    if (kind === 'data') {
      this.#write(this.#compressor, command.data, command.last);
    } else {
      if (kind === 'trailers') this.#trailers = command.fields;
      this.#compressor.end();
    }
    return null;
  }

  /** While a whole body is being compressed, nothing else can be the response. */
  #late(command: Command): Command | null {
    return this.#state === 'whole' ? null : command;
  }

  #setOptions({ compression: chosen }: Extract<Command, { kind: 'set-options' }>): void {
    if (chosen === undefined) return;
    this.#enabled = chosen.enabled ?? this.#enabled;
    this.#thresholdBytes = chosen.thresholdBytes ?? this.#thresholdBytes;
    this.#buffering = chosen.buffering ?? this.#buffering;
  }

  #respond(command: ResponseCommand): Command | null {
    const { status, fields, body } = command;
    if (status === 304) return this.#notModified(command);
    if (!this.#enabled || this.#isShort(fields, body) || !mayCompress(status, fields, this.#settings.types)) {
      return command;
    }
    const chosen = this.#compression;
    const plain = { ...command, fields: withVary(fields, 'accept-encoding') };
    if (chosen === null) return plain;
    const coded = codedFields(fields, chosen.coding);
    // No content follows to be compressed, and its length is not known.
    if (this.#stream.head.method === 'HEAD') return { ...command, fields: coded, body: null };
    if (body === null) return command;
    const result = (compressed: Buffer): Command =>
      compressed.length < lengthOf(body) ? { ...command, fields: coded, body: compressed } : plain;
    if (lengthOf(body) <= MAX_BLOCKING_BYTES) return result(chosen.whole(body));
    this.#state = 'whole';
    chosen.wholeLater(body, (error, compressed) => {
      const made = error === null ? result(compressed) : failure(error);
      this.#stream.cast(new Made(this, made));
    });
    return null;
  }

  #begin(command: Extract<Command, { kind: 'headers' }>): Command {
    const { status, fields } = command;
    this.#state = 'passing';
    if (!this.#enabled || this.#isShort(fields, null) || !mayCompress(status, fields, this.#settings.types)) {
      return command;
    }
    const chosen = this.#compression;
    if (chosen === null) return { ...command, fields: withVary(fields, 'accept-encoding') };
    if (this.#stream.head.method !== 'HEAD') {
      this.#state = 'compressing';
      this.#flushes = !this.#mayBuffer(command) || isEventStream(fields);
      this.#compressor = this.#startCompressor(chosen);
    }
    return { ...command, fields: codedFields(fields, chosen.coding) };
  }

  /** The tag of a 304 is that of the response that it stands for (RFC 9110 §15.4.5). */
  #notModified(command: ResponseCommand): Command {
    if (this.#compression === null || !this.#enabled) return command;
    return { ...command, fields: withWeakEtag(command.fields) };
  }

  /** Of what has no known length nobody knows. */
  #isShort(fields: FieldLines, body: Buffer | string | null): boolean {
    if (body !== null) return lengthOf(body) < this.#thresholdBytes;
    const announced = responseField(fields, 'content-length');
    return announced !== undefined && Number(announced) < this.#thresholdBytes;
  }

  #mayBuffer(head: ResponseHead): boolean {
    const { buffering } = this.#settings;
    return this.#buffering ?? (typeof buffering === 'function' ? buffering(head) : buffering);
  }

  #startCompressor(chosen: Compression): ReturnType<Compression['stream']> {
    const compressor = chosen.stream();
    const cast = (commands: Commands): void => this.#stream.cast(new Made(this, commands));
    compressor.on('data', (data: Buffer) => cast({ kind: 'data', data, last: false }));
    compressor.on('drain', () => cast(null));
    compressor.on('end', () => cast({ kind: 'trailers', fields: this.#trailers }));
    compressor.on('error', (error) => cast(failure(error)));
    return compressor;
  }

  #write(compressor: ReturnType<Compression['stream']>, data: Buffer, last: boolean): void {
    if (data.length > 0) {
      this.#full = !compressor.write(data);
      if (this.#flushes && !last) compressor.flush(this.#compression?.flushFlag);
    }
    if (last) compressor.end();
  }
}

function codedFields(fields: FieldLines, coding: string): FieldLines {
  const changed = withoutFields(fields, ['content-length', 'accept-ranges']);
  changed.push('content-encoding', coding);
  return withWeakEtag(withVary(changed, 'accept-encoding'));
}

function failure(error: Error): Command {
  return { kind: 'internal-error', where: 'compression of the response', error };
}

const lengthOf = (body: Buffer | string): number =>
  typeof body === 'string' ? Buffer.byteLength(body) : body.length;

function isList(commands: Command | readonly Command[]): commands is readonly Command[] {
  return Array.isArray(commands);
}
