// The frames that workers exchange over the socket between two of them: calls for the other's sessions, their results, and how
// busy each is. Encodes and decodes; sends nothing. All numbers are big-endian.
//
//   frame     = length (4: of what follows) type (1) body
//   HELLO     = number (4)
//   STATE     = sessions for the other's calls (4) connections (4) connections taken over from the other (4)
//   STATEMENT = index (4) JSON of a PreparedStatement; before the first call that names the index
//   CALL      = id (4) index (4) flags (1) index of the statement that follows up (4) epoch (bytes) count (2) count × parameter
//   ABANDON   = id (4)
//   ROW       = id (4) count (2) count × (length (4, signed; -1: null) data)
//   RESULT    = id (4) JSON of any other CallResult, or of { kind: 'busy' }: it has not run, and may be tried elsewhere
//   LEAVE     = nothing (4); the sender takes no call any more
//   LEFT      = nothing (4); the answer: all calls of its sender came before
//   parameter = format (1: 0 null, 1 text, 2 binary) bytes;   bytes = length (4) data
import type { CallResult, PreparedStatement, SqlParameter } from '../database/call.ts';

export const FrameType = {
  HELLO: 1,
  STATE: 2,
  STATEMENT: 3,
  CALL: 4,
  ABANDON: 5,
  ROW: 6,
  RESULT: 7,
  LEAVE: 8,
  LEFT: 9,
} as const;

const FLAG_RESET_AFTER = 1;
const FLAG_INTERRUPTIBLE = 2;
const FLAG_EPOCH = 4;
const FLAG_REPEATABLE = 8;
const FLAG_FOLLOW_UP = 16;

const FORMAT_NULL = 0;
const FORMAT_TEXT = 1;
const FORMAT_BINARY = 2;

const LENGTH_BYTES = 4;

/** In a call: behind id, index, flags and index. */
const CALL_EPOCH_AT = 13;

/** A parameter may have 1 GB (PostgreSQL's limit of a field); what announces more is not one of ours. */
const MAX_FRAME_BYTES = 1_100_000_000;

/** To copy this much costs less than one more piece in a write. */
const MAX_JOINED_BYTES = 16_384;

/** A call as it travels. */
export interface SiblingCall {
  readonly id: number;
  readonly statement: number;
  /** null: none. */
  readonly followUp: number | null;
  readonly parameters: readonly SqlParameter[];
  readonly epoch: string | null;
  readonly resetAfter: boolean;
  readonly interruptible: boolean;
  readonly repeatable: boolean;
}

export interface SiblingState {
  /**
   * Sessions that are idle, or run calls of the receiver: who knows best how many these are. So one that the receiver uses again and
   * again is told of once.
   */
  readonly sessions: number;
  readonly connections: number;
  /** Connections that the sender has taken over from the receiver so far. */
  readonly taken: number;
}

/** A call's result, or that it was not run. */
export type SiblingResult = CallResult | { readonly kind: 'busy' };

export type SiblingFrame =
  | { readonly kind: 'hello'; readonly number: number }
  | ({ readonly kind: 'state' } & SiblingState)
  | { readonly kind: 'statement'; readonly index: number; readonly statement: PreparedStatement }
  | { readonly kind: 'call'; readonly call: SiblingCall }
  | { readonly kind: 'abandon'; readonly id: number }
  | { readonly kind: 'result'; readonly id: number; readonly result: SiblingResult }
  | { readonly kind: 'leave' }
  | { readonly kind: 'left' };

export function helloFrame(number: number): Buffer {
  return numbersFrame(FrameType.HELLO, number);
}

export function stateFrame({ sessions, connections, taken }: SiblingState): Buffer {
  return numbersFrame(FrameType.STATE, sessions, connections, taken);
}

export function statementFrame(index: number, statement: PreparedStatement): Buffer {
  return jsonFrame(FrameType.STATEMENT, index, statement);
}

export function abandonFrame(id: number): Buffer {
  return numbersFrame(FrameType.ABANDON, id);
}

export function leaveFrame(): Buffer {
  return numbersFrame(FrameType.LEAVE, 0);
}

export function leftFrame(): Buffer {
  return numbersFrame(FrameType.LEFT, 0);
}

/** In one piece, which costs one write; a large one in several, so that its parameters need not be copied. */
export function callFrame(call: SiblingCall): Buffer[] {
  const epoch = Buffer.from(call.epoch ?? '', 'latin1');
  const head = Buffer.allocUnsafe(CALL_EPOCH_AT + 4 + epoch.length + 2);
  head.writeUInt32BE(call.id, 0);
  head.writeUInt32BE(call.statement, 4);
  head[8] =
    (call.resetAfter ? FLAG_RESET_AFTER : 0) |
    (call.interruptible ? FLAG_INTERRUPTIBLE : 0) |
    (call.repeatable ? FLAG_REPEATABLE : 0) |
    (call.followUp === null ? 0 : FLAG_FOLLOW_UP) |
    (call.epoch === null ? 0 : FLAG_EPOCH);
  head.writeUInt32BE(call.followUp ?? 0, 9);
  let at = head.writeUInt32BE(epoch.length, CALL_EPOCH_AT);
  at += epoch.copy(head, at);
  head.writeUInt16BE(call.parameters.length, at);
  const pieces: Buffer[] = [head];
  for (const parameter of call.parameters) {
    const bytes = typeof parameter === 'string' ? Buffer.from(parameter, 'utf8') : parameter;
    const prefix = Buffer.allocUnsafe(5);
    prefix[0] = bytes === null ? FORMAT_NULL : typeof parameter === 'string' ? FORMAT_TEXT : FORMAT_BINARY;
    prefix.writeUInt32BE(bytes?.length ?? 0, 1);
    pieces.push(prefix);
    if (bytes !== null && bytes.length > 0) pieces.push(bytes);
  }
  return joined(FrameType.CALL, pieces);
}

/** The columns of a row may be views: what is not copied is written out by the caller at once, or copied. */
export function resultFrame(id: number, result: SiblingResult): Buffer {
  if (result.kind !== 'row') return jsonFrame(FrameType.RESULT, id, result);
  let length = 4 + 2;
  for (const column of result.columns) length += 4 + (column?.length ?? 0);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + 1 + length);
  let at = startFrame(frame, FrameType.ROW, length);
  at = frame.writeUInt32BE(id, at);
  at = frame.writeUInt16BE(result.columns.length, at);
  for (const column of result.columns) {
    at = frame.writeInt32BE(column?.length ?? -1, at);
    if (column !== null) at += column.copy(frame, at);
  }
  return frame;
}

function numbersFrame(type: number, ...numbers: number[]): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + 1 + 4 * numbers.length);
  let at = startFrame(frame, type, 4 * numbers.length);
  for (const number of numbers) at = frame.writeUInt32BE(number, at);
  return frame;
}

function jsonFrame(type: number, number: number, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value), 'utf8');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + 1 + 4 + json.length);
  const at = startFrame(frame, type, 4 + json.length);
  json.copy(frame, frame.writeUInt32BE(number, at));
  return frame;
}

function joined(type: number, body: readonly Buffer[]): Buffer[] {
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  const prefix = Buffer.allocUnsafe(LENGTH_BYTES + 1);
  startFrame(prefix, type, length);
  const pieces = [prefix, ...body];
  return length > MAX_JOINED_BYTES ? pieces : [Buffer.concat(pieces)];
}

function startFrame(frame: Buffer, type: number, bodyLength: number): number {
  frame.writeUInt32BE(bodyLength + 1, 0);
  frame[LENGTH_BYTES] = type;
  return LENGTH_BYTES + 1;
}

/** Cuts what comes from the socket into frames. Throws at what is no frame: the link is of no use then. */
export class FrameReader {
  readonly #receive: (frame: SiblingFrame) => void;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = LENGTH_BYTES;

  /** Buffers in the frames are views that are valid during the call only. */
  constructor(receive: (frame: SiblingFrame) => void) {
    this.#receive = receive;
  }

  /**
   * The chunk is not kept.
   * @throws Error where the bytes are no frame
   */
  read(chunk: Buffer): void {
    this.#buffered += chunk.length;
    // A long frame is put together once, when all of it is there.
    if (this.#buffered < this.#needed) {
      this.#chunks.push(Buffer.from(chunk));
      return;
    }
    const bytes = this.#chunks.length === 0 ? chunk : Buffer.concat([...this.#chunks, chunk], this.#buffered);
    let at = 0;
    this.#needed = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length === 0 || length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      this.#receive(parseFrame(bytes.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    this.#buffered = bytes.length - at;
    this.#chunks = this.#buffered === 0 ? [] : [Buffer.from(bytes.subarray(at))];
  }
}

function parseFrame(frame: Buffer): SiblingFrame {
  const body = frame.subarray(1);
  const number = body.readUInt32BE(0);
  switch (frame.readUInt8(0)) {
    case FrameType.HELLO:
      return { kind: 'hello', number };
    case FrameType.STATE:
      return {
        kind: 'state',
        sessions: number,
        connections: body.readUInt32BE(4),
        taken: body.readUInt32BE(8),
      };
    case FrameType.STATEMENT:
      return { kind: 'statement', index: number, statement: parseJson(body) as PreparedStatement };
    case FrameType.CALL:
      return { kind: 'call', call: parseCall(body) };
    case FrameType.ABANDON:
      return { kind: 'abandon', id: number };
    case FrameType.ROW:
      return { kind: 'result', id: number, result: { kind: 'row', columns: parseColumns(body) } };
    case FrameType.LEAVE:
      return { kind: 'leave' };
    case FrameType.LEFT:
      return { kind: 'left' };
    case FrameType.RESULT:
      return { kind: 'result', id: number, result: parseJson(body) as SiblingResult };
    default:
      throw new Error(`a frame of type ${frame[0]}`);
  }
}

const parseJson = (body: Buffer): unknown => JSON.parse(body.toString('utf8', 4));

function parseCall(body: Buffer): SiblingCall {
  const flags = body.readUInt8(8);
  const epochAt = CALL_EPOCH_AT + 4;
  const epochEnd = epochAt + body.readUInt32BE(CALL_EPOCH_AT);
  const epoch = body.toString('latin1', epochAt, epochEnd);
  const count = body.readUInt16BE(epochEnd);
  const parameters: SqlParameter[] = [];
  let at = epochEnd + 2;
  for (let i = 0; i < count; i++) {
    const format = body.readUInt8(at);
    const end = at + 5 + body.readUInt32BE(at + 1);
    const bytes = body.subarray(at + 5, end);
    if (format === FORMAT_NULL) parameters.push(null);
    // The call may wait for its session, and the bytes do not.
    else parameters.push(format === FORMAT_TEXT ? bytes.toString('utf8') : Buffer.from(bytes));
    at = end;
  }
  return {
    id: body.readUInt32BE(0),
    statement: body.readUInt32BE(4),
    followUp: (flags & FLAG_FOLLOW_UP) === 0 ? null : body.readUInt32BE(9),
    parameters,
    epoch: (flags & FLAG_EPOCH) === 0 ? null : epoch,
    resetAfter: (flags & FLAG_RESET_AFTER) !== 0,
    interruptible: (flags & FLAG_INTERRUPTIBLE) !== 0,
    repeatable: (flags & FLAG_REPEATABLE) !== 0,
  };
}

function parseColumns(body: Buffer): (Buffer | null)[] {
  const count = body.readUInt16BE(4);
  const columns: (Buffer | null)[] = [];
  let at = 6;
  for (let i = 0; i < count; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) {
      columns.push(null);
      continue;
    }
    columns.push(body.subarray(at, at + length));
    at += length;
  }
  return columns;
}
