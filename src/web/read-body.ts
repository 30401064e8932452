// Whole request bodies with a limit: bytes, JSON, forms. Those that come in parts are multipart.ts.
import { HowdahError } from '../errors.ts';
import { parseMediaType } from '../protocol/http/media-type.ts';

/** How much of a body is read. */
export interface ReadOptions {
  /** Largest body in bytes; default 1 000 000. The limit of the route holds too. */
  readonly limitBytes?: number;
}

const DEFAULT_LIMIT_BYTES = 1_000_000;

/** Fields of a form: more are refused, since each costs much more than its bytes. */
const MAX_FORM_FIELDS = 10_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The body. @throws HowdahError HOWDAH_BODY_TOO_LARGE (413) */
export async function readBytes(
  request: Request,
  { limitBytes = DEFAULT_LIMIT_BYTES }: ReadOptions = {},
): Promise<Buffer> {
  const tooLarge = (): HowdahError =>
    new HowdahError('HOWDAH_BODY_TOO_LARGE', `more than ${limitBytes} bytes`);
  const announced = request.headers.get('content-length');
  if (announced !== null && Number(announced) > limitBytes) throw tooLarge();
  const { body } = request;
  if (body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the body: nothing more is read.
  for await (const chunk of body) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/**
 * The value of a body of JSON.
 * @throws HowdahError HOWDAH_BODY_TYPE (415) for another type, HOWDAH_BODY_MALFORMED (400), HOWDAH_BODY_TOO_LARGE (413)
 */
export async function readJson(request: Request, options: ReadOptions = {}): Promise<unknown> {
  const type = parseMediaType(request.headers.get('content-type') ?? '');
  if (type === null || !(type.subtype === 'json' || type.subtype.endsWith('+json'))) {
    throw new HowdahError('HOWDAH_BODY_TYPE', 'application/json is');
  }
  const text = decode(await readBytes(request, options));
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new HowdahError('HOWDAH_BODY_MALFORMED', (error as Error).message, { cause: error });
  }
}

/** The fields of a form that is sent urlencoded. @throws HowdahError as readJson() */
export async function readForm(request: Request, options: ReadOptions = {}): Promise<URLSearchParams> {
  const type = parseMediaType(request.headers.get('content-type') ?? '');
  if (type === null || `${type.type}/${type.subtype}` !== 'application/x-www-form-urlencoded') {
    throw new HowdahError('HOWDAH_BODY_TYPE', 'application/x-www-form-urlencoded is');
  }
  const text = decode(await readBytes(request, options));
  let fields = 0;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) fields++;
  if (fields >= MAX_FORM_FIELDS)
    throw new HowdahError('HOWDAH_BODY_TOO_LARGE', `more than ${MAX_FORM_FIELDS} fields`);
  return new URLSearchParams(text);
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new HowdahError('HOWDAH_BODY_MALFORMED', 'it is not UTF-8', { cause: error });
  }
}
