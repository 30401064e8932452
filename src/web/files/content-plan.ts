// What of a representation answers a GET or HEAD: conditional requests (RFC 9110 §13) and ranges (§14) applied to its validators
// and its size. Reads no content.
import { randomBytes } from 'node:crypto';
import { contentRange, parseRange, selectBytes, type ByteRange } from '../../protocol/http/byte-ranges.ts';
import { checkConditions, rangeApplies, type Validators } from '../../protocol/http/conditions.ts';
import { getField, hasField, type FieldLines } from '../../protocol/http/field-lines.ts';

export interface Representation {
  readonly size: number;
  readonly contentType: string;
  readonly validators: Validators;
  /** What is sent whether there is content or not: etag, last-modified, cache-control, vary, and others of the application's. */
  readonly fields: FieldLines;
  /** What speaks of the content: content-type, content-encoding, accept-ranges. */
  readonly contentFields: FieldLines;
}

/** A piece of the answer's content: bytes of the representation, or text between them. */
export type Piece = ByteRange | Buffer;

export interface ContentPlan {
  readonly status: number;
  readonly fields: FieldLines;
  /** Null: no content. */
  readonly pieces: readonly Piece[] | null;
  readonly length: number;
}

/** Of the request's fields, those that nothing below looks at are the rule: then the answer is the whole representation. */
export function planContent(
  method: string,
  request: FieldLines,
  representation: Representation,
): ContentPlan {
  const { validators, fields, size } = representation;
  const verdict = checkConditions(method, request, validators);
  if (verdict === 304) return { status: 304, fields, pieces: null, length: 0 };
  if (verdict === 412) return { status: 412, fields, pieces: null, length: 0 };
  const range = method === 'GET' ? getField(request, 'range') : undefined;
  if (range === undefined || !rangeApplies(request, validators)) return whole(representation);
  const asked = parseRange(range);
  if (asked === null || asked.unit !== 'bytes') return whole(representation);
  const selected = selectBytes(asked.ranges, size);
  if (selected === 'refused') return whole(representation);
  if (selected === 'unsatisfiable') {
    return { status: 416, fields: [...fields, 'content-range', `bytes */${size}`], pieces: null, length: 0 };
  }
  const [first] = selected;
  return selected.length === 1 && first !== undefined
    ? single(representation, first)
    : several(representation, selected);
}

function whole(representation: Representation): ContentPlan {
  const { size, fields, contentFields } = representation;
  return {
    status: 200,
    fields: [...contentFields, ...fields],
    pieces: wholeOf(representation),
    length: size,
  };
}

export function wholeOf({ size }: Pick<Representation, 'size'>): readonly Piece[] {
  return size === 0 ? [] : [{ first: 0, last: size - 1 }];
}

function single({ size, fields, contentFields }: Representation, range: ByteRange): ContentPlan {
  return {
    status: 206,
    fields: [...contentFields, ...fields, 'content-range', contentRange(range, size)],
    pieces: [range],
    length: range.last - range.first + 1,
  };
}

/** §14.6, as multipart/byteranges. */
function several(representation: Representation, ranges: readonly ByteRange[]): ContentPlan {
  const { size, fields, contentFields, contentType } = representation;
  const boundary = randomBytes(18).toString('base64url');
  const pieces: Piece[] = [];
  for (const range of ranges) {
    const head = `\r\n--${boundary}\r\ncontent-type: ${contentType}\r\ncontent-range: ${contentRange(range, size)}\r\n\r\n`;
    pieces.push(Buffer.from(head, 'latin1'), range);
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  const others: string[] = [];
  for (let i = 0; i < contentFields.length; i += 2) {
    if (contentFields[i] !== 'content-type') others.push(contentFields[i] ?? '', contentFields[i + 1] ?? '');
  }
  return {
    status: 206,
    fields: ['content-type', `multipart/byteranges; boundary=${boundary}`, ...others, ...fields],
    pieces,
    length: pieces.reduce((sum, piece) => sum + pieceLength(piece), 0),
  };
}

export function pieceLength(piece: Piece): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.last - piece.first + 1;
}

const CONDITIONAL = [
  'range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
] as const;

/** Whether planContent() has anything to look at: if not, the answer is the whole representation. */
export function isConditional(request: FieldLines): boolean {
  return CONDITIONAL.some((name) => hasField(request, name));
}
