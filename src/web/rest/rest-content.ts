// The content of the responses of rest(): asks the provider that was chosen, encodes, and puts the response together. Decides nothing of
// the flow.
import { STATUS_REASONS } from '../../protocol/http/status-reasons.ts';
import { isResponse } from '../send-response.ts';
import type { RestBody } from './rest-resource.ts';
import { Answered, type RestRun } from './rest-run.ts';

/** Asks the provider for the content; bytes that are at hand are kept as such, for ranges. */
export async function produce(run: RestRun): Promise<void> {
  const { chosen } = run;
  if (chosen === null) return;
  const said = await chosen.callback(run.request, run.context, run);
  // A response that says what it is, and is not the plain answer: the flow is left.
  if (isResponse(said) && said.status !== 200) throw new Answered(said);
  run.body = said;
  const encoder = run.encoding === 'identity' ? undefined : run.resource.encodings?.[run.encoding];
  if (isResponse(said) || said === null || said === undefined) return;
  if (typeof said !== 'string' && !(said instanceof Uint8Array)) return;
  const bytes = typeof said === 'string' ? Buffer.from(said) : said;
  run.content = encoder === undefined ? bytes : await encoder(bytes);
  run.body = run.content;
  if (encoder !== undefined) run.headers.set('content-encoding', run.encoding);
}

/** The media type that was chosen, with the charset of text. */
export function contentTypeOf({ chosen, charset }: RestRun): string {
  if (chosen === null) return 'application/octet-stream';
  if (chosen.parameters.has('charset')) return chosen.text;
  if (charset !== null) return `${chosen.text}; charset=${charset}`;
  return chosen.type === 'text' ? `${chosen.text}; charset=utf-8` : chosen.text;
}

/** Puts fields in place of those of the same name; cookies go beside one another. */
export function mergeHeaders(into: Headers, from: Headers): void {
  for (const [name, value] of from) {
    if (name === 'set-cookie') into.append(name, value);
    else into.set(name, value);
  }
}

export async function makeResponse(run: RestRun, status: number): Promise<Response> {
  const { headers } = run;
  if (status === 304 || status === 204) return new Response(null, { status, headers });
  if (status >= 400) return errorResponse(run, status);
  const { plan, content } = run;
  if (plan !== null && content !== null && status === 206) {
    for (let i = 0; i < plan.fields.length; i += 2)
      headers.set(plan.fields[i] ?? '', plan.fields[i + 1] ?? '');
    const parts = (plan.pieces ?? []).map((piece) =>
      Buffer.isBuffer(piece) ? piece : content.subarray(piece.first, piece.last + 1),
    );
    return new Response(Buffer.concat(parts), { status, headers });
  }
  return bodyResponse(run, status);
}

function bodyResponse(run: RestRun, status: number): Response {
  const { body, headers } = run;
  if (isResponse(body)) {
    // Its own fields go before what was chosen.
    mergeHeaders(headers, body.headers);
    setType(run);
    return new Response(body.body, { status, headers });
  }
  if (body !== null && body !== undefined && body !== '') setType(run);
  return new Response(streamOf(body), { status, headers });
}

function setType(run: RestRun): void {
  if (run.chosen !== null && !run.headers.has('content-type'))
    run.headers.set('content-type', contentTypeOf(run));
}

function streamOf(body: Exclude<RestBody, Response>): ConstructorParameters<typeof Response>[0] {
  if (body === null || body === undefined || typeof body === 'string') return body ?? null;
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return body instanceof ReadableStream ? body : ReadableStream.from(body);
}

async function errorResponse(run: RestRun, status: number): Promise<Response> {
  const { headers, detail } = run;
  if (run.plan?.status === 416) headers.set('content-range', `bytes */${run.content?.length ?? 0}`);
  // What describes the content that is not sent.
  for (const name of ['content-language', 'content-encoding', 'etag', 'last-modified', 'expires'])
    headers.delete(name);
  const own = await run.resource.errorBody?.(status, detail, run.request);
  if (own !== undefined) {
    mergeHeaders(headers, own.headers);
    return new Response(own.body, { status, headers });
  }
  headers.set('content-type', 'text/plain; charset=utf-8');
  const reason = STATUS_REASONS[status] ?? 'Error';
  return new Response(`${status} ${reason}\n${detail === '' ? '' : `${detail}\n`}`, { status, headers });
}
