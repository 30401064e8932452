// permessage-deflate's codec over node:zlib. Synchronous: a message is inflated in the read that brought it, and answers keep
// their order. Streams of zlib are taken when a message first needs them.
//
// The public API of node:zlib has a stream only with callbacks, and only whole buffers without. What lies below both is the
// `_handle` of a stream: `writeSync` takes some input, fills some output, and reports through `_writeState` what is left of either.
// `isDeflateAvailable` tells whether this Node has it; where it has not, compression is not to be negotiated.
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { DeflateCodec } from '../protocol/websocket/deflate-codec.ts';
import type { DeflateParameters } from '../protocol/websocket/permessage-deflate.ts';

export interface DeflateOptions {
  /** 0 (none) to 9 (best). Default 6, zlib's own. */
  readonly level: number;
  /** 1 to 9: a step doubles a part of the memory. Default 5, of the `websockets` package for Python: 32 KB together with 12 window bits. */
  readonly memLevel: number;
}

export const DEFAULT_DEFLATE_OPTIONS: DeflateOptions = Object.freeze({ level: 6, memLevel: 5 });

interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputStart: number,
    inputBytes: number,
    output: Uint8Array,
    outputStart: number,
    outputBytes: number,
  ): void;
  reset(): void;
}

interface ZlibInternals {
  readonly _handle: ZlibHandle;
  /** Room left in the output, bytes left of the input. */
  readonly _writeState: Uint32Array;
}

type Fault = 'malformed' | 'too-large';
type ZlibStream = ReturnType<typeof createDeflateRaw> | ReturnType<typeof createInflateRaw>;

/** What a sender leaves out at the end of a message (RFC 7692 §7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** An empty message: a stored block of no bytes without its tail (§7.2.3.6). */
const EMPTY_MESSAGE = Buffer.from([0x00]);
/** A stream's own output buffer is not used here: as small as may be, and not 16 KB of every connection. */
const chunkSize = constants.Z_MIN_CHUNK;
/** Output is made in pieces of this size. */
const SCRATCH_BYTES = 65_536;
/**
 * A message may have blocks marked as the last (§7.2.3.5), after each of which zlib begins anew; a two-byte block should not be able to
 * ask for that without end.
 */
const MAX_FINAL_BLOCKS = 16;

/** Shared by all codecs: nothing of it is needed after the call that filled it. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** For messages that many connections get: one for each size of a window, and never closed. */
const lone = new Map<string, SyncZlib>();

/** Whether this Node has what the codec is built on. */
export function isDeflateAvailable(): boolean {
  const stream = createDeflateRaw();
  const { _handle, _writeState } = stream as unknown as Partial<ZlibInternals>;
  stream.close();
  return typeof _handle?.writeSync === 'function' && _writeState instanceof Uint32Array;
}

export class ZlibDeflateCodec implements DeflateCodec {
  readonly #parameters: DeflateParameters;
  readonly #options: DeflateOptions;
  #inflater: SyncZlib | null = null;
  #deflater: SyncZlib | null = null;
  /** What the deflater remembers is not what the peer does. */
  #isStale = false;
  /** Of the message that is being inflated. */
  #finalBlocks = 0;

  constructor(parameters: DeflateParameters, options = DEFAULT_DEFLATE_OPTIONS) {
    this.#parameters = parameters;
    this.#options = options;
  }

  inflate(
    bytes: Buffer,
    start: number,
    end: number,
    isEnd: boolean,
    maxBytes: number,
  ): Buffer | 'malformed' | 'too-large' {
    const { clientMaxWindowBits: windowBits, clientNoContextTakeover } = this.#parameters;
    this.#inflater ??= new SyncZlib(createInflateRaw({ windowBits, chunkSize }));
    const output = new Output(maxBytes);
    let fault = this.#inflatePart(this.#inflater, bytes, start, end, output);
    if (isEnd && fault === null) {
      this.#finalBlocks = 0;
      fault = inflateTail(this.#inflater, output);
      if (clientNoContextTakeover && fault === null) this.#inflater.reset();
    }
    return fault ?? output.take();
  }

  deflate(bytes: Uint8Array, isEnd: boolean): Buffer {
    const { level, memLevel } = this.#options;
    const { serverMaxWindowBits: windowBits, serverNoContextTakeover } = this.#parameters;
    this.#deflater ??= new SyncZlib(createDeflateRaw({ windowBits, level, memLevel, chunkSize }));
    const deflater = this.#deflater;
    if (this.#isStale) deflater.reset();
    this.#isStale = false;
    const output = deflateWith(deflater, bytes, isEnd);
    if (!isEnd) return output.takeCopy();
    if (serverNoContextTakeover) deflater.reset();
    return messageOf(output);
  }

  get windowBits(): number {
    return this.#parameters.serverMaxWindowBits;
  }

  deflateAlone(bytes: Uint8Array): Buffer {
    const { level, memLevel } = this.#options;
    const { windowBits } = this;
    const key = `${windowBits} ${level} ${memLevel}`;
    let deflater = lone.get(key);
    if (deflater === undefined) {
      deflater = new SyncZlib(createDeflateRaw({ windowBits, level, memLevel, chunkSize }));
      lone.set(key, deflater);
    }
    const message = messageOf(deflateWith(deflater, bytes, true));
    deflater.reset();
    return message;
  }

  startAfresh(): void {
    this.#isStale = this.#deflater !== null;
  }

  /** Frees the memory of both directions. */
  close(): void {
    this.#inflater?.close();
    this.#deflater?.close();
  }

  #inflatePart(inflater: SyncZlib, bytes: Buffer, start: number, end: number, output: Output): Fault | null {
    let position = start;
    for (;;) {
      if (!inflater.write(constants.Z_SYNC_FLUSH, bytes, position, end, output)) return 'malformed';
      if (output.isOverLimit) return 'too-large';
      position = end - inflater.inputLeft;
      if (inflater.outputLeft === 0) continue;
      if (position === end) return null;
      // Room and input are left, so zlib has seen a last block: the next one begins without a window.
      this.#finalBlocks++;
      if (this.#finalBlocks > MAX_FINAL_BLOCKS) return 'malformed';
      inflater.reset();
    }
  }
}

function deflateWith(deflater: SyncZlib, bytes: Uint8Array, isEnd: boolean): Output {
  const output = new Output(Infinity);
  const flush = isEnd ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  let position = 0;
  do {
    deflater.write(flush, bytes, position, bytes.length, output);
    position = bytes.length - deflater.inputLeft;
  } while (deflater.outputLeft === 0);
  return output;
}

/** zlib does not flush twice without input between. */
function messageOf(output: Output): Buffer {
  return output.length === 0 ? EMPTY_MESSAGE : output.takeCopy().subarray(0, -TAIL.length);
}

/** Ends a message. A last block that ended it needs no tail. */
function inflateTail(inflater: SyncZlib, output: Output): Fault | null {
  let position = 0;
  do {
    if (!inflater.write(constants.Z_SYNC_FLUSH, TAIL, position, TAIL.length, output)) return 'malformed';
    if (output.isOverLimit) return 'too-large';
    position = TAIL.length - inflater.inputLeft;
  } while (inflater.outputLeft === 0);
  if (position < TAIL.length) inflater.reset();
  return null;
}

/** A stream of zlib that is written to synchronously. */
class SyncZlib {
  readonly #stream: ZlibStream;
  readonly #handle: ZlibHandle;
  readonly #state: Uint32Array;

  constructor(stream: ZlibStream) {
    const { _handle, _writeState } = stream as unknown as ZlibInternals;
    this.#stream = stream;
    this.#handle = _handle;
    this.#state = _writeState;
    // On bad data the stream is destroyed and emits this later; `write` has told by then.
    stream.on('error', () => {});
  }

  /** Bytes of the last write's input that were not used. */
  get inputLeft(): number {
    return this.#state[1] as number;
  }

  /** Room that the last write left: where it is none, there may be more output to come. */
  get outputLeft(): number {
    return this.#state[0] as number;
  }

  /** False: the data is malformed, and the stream of no more use. */
  write(flush: number, bytes: Uint8Array, start: number, end: number, output: Output): boolean {
    const room = output.reserve();
    this.#handle.writeSync(flush, bytes, start, end - start, scratch, output.used, room);
    if (this.#stream.destroyed) return false;
    output.advance(room - this.outputLeft);
    return true;
  }

  reset(): void {
    this.#handle.reset();
  }

  close(): void {
    this.#stream.close();
  }
}

/** Output in `scratch`, and in copies of it where it was full. */
class Output {
  /** Bytes in scratch. */
  used = 0;
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#piecesBytes + this.used;
  }

  get isOverLimit(): boolean {
    return this.length > this.#maxBytes;
  }

  /** Bytes that may be put into scratch at `used`: at least one, and one more than the limit at most, to tell when it is passed. */
  reserve(): number {
    if (this.used === SCRATCH_BYTES) {
      this.#pieces.push(Buffer.from(scratch));
      this.#piecesBytes += SCRATCH_BYTES;
      this.used = 0;
    }
    return Math.min(SCRATCH_BYTES - this.used, this.#maxBytes - this.length + 1);
  }

  advance(bytes: number): void {
    this.used += bytes;
  }

  /** A view of scratch if it can be. */
  take(): Buffer {
    const last = scratch.subarray(0, this.used);
    return this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
  }

  takeCopy(): Buffer {
    return Buffer.concat([...this.#pieces, scratch.subarray(0, this.used)]);
  }
}
