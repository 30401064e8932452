// Answers an exchange with a web-standard Response: at once where the body is at hand, as a stream otherwise. Takes any
// object that is like one: the platform's, light-response.ts's, that of another realm or library.
import { hasField, type FieldLines } from '../protocol/http/field-lines.ts';
import type { Exchange } from './exchange.ts';
import { CapturedExchange } from './captured-exchange.ts';
import { LightResponse } from './light-response.ts';
import { readStream } from './response-stream.ts';

/** Whether `value` can be sent as a response. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  if (LightResponse.is(value)) return true;
  const { status, headers, body } = value as Partial<Response>;
  return (
    typeof status === 'number' &&
    typeof headers === 'object' &&
    typeof (headers as Partial<Headers> | null)?.[Symbol.iterator] === 'function' &&
    (body === null || body === undefined || typeof body.getReader === 'function')
  );
}

/**
 * @param trailers asked for when the body has ended; without a body there are none
 * @throws TypeError where its body was read already, or its status is none
 */
export function sendResponse(exchange: Exchange, response: Response, trailers?: () => FieldLines): void {
  if (exchange instanceof CapturedExchange) {
    exchange.capture(response, trailers);
    return;
  }
  if (LightResponse.is(response)) {
    const source = LightResponse.source(response);
    if (source !== undefined) {
      const body = source === null || typeof source === 'string' ? source : bufferOf(source);
      const { status } = response;
      const fields = LightResponse.fields(response) ?? fieldsOf(response);
      if (trailers !== undefined && body !== null && exchange.head.method !== 'HEAD')
        exchange.respondStreamed({ status, fields, body: once(body), trailers });
      else exchange.respond({ status, fields, body: body ?? noBody(status, exchange, fields) });
      return;
    }
  }
  const { status, body } = response;
  // Response.error() has status 0.
  if (!(status >= 200 && status <= 999))
    throw new TypeError(`a response with status ${status} cannot be sent`);
  const fields = fieldsOf(response);
  if (body === null || body === undefined) {
    exchange.respond({ status, fields, body: noBody(status, exchange, fields) });
    return;
  }
  if (response.bodyUsed || body.locked) throw new TypeError('the body of the response has been read already');
  if (exchange.closed) {
    void body.cancel().catch(ignore);
    return;
  }
  const { head } = exchange;
  if (head.method === 'HEAD') {
    // What the body would be is not sent; the fields are.
    void body.cancel().catch(ignore);
    exchange.respond({ status, fields, body: null });
    return;
  }
  const streamed = { status, fields, body: readStream(exchange, body) };
  exchange.respondStreamed(trailers === undefined ? streamed : { ...streamed, trailers });
}

/** RFC 9110 §8.6: no content-length in a 204; that of a 304 is what a 200 would have, and so is that of an answer to HEAD. */
function noBody(status: number, { head }: Exchange, fields: FieldLines): string | null {
  if (status === 204 || status === 304) return null;
  return head.method === 'HEAD' && hasField(fields, 'content-length') ? null : '';
}

const ignore = (): void => undefined;

function fieldsOf(response: Response): FieldLines {
  const fields: string[] = [];
  for (const [name, value] of response.headers) fields.push(name, value);
  return fields;
}

/** A body with trailers is sent as a stream, also where all of it is at hand. */
// oxlint-disable-next-line require-await
async function* once(body: Buffer | string): AsyncGenerator<Buffer> {
  yield typeof body === 'string' ? Buffer.from(body) : body;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
