// fileResponse(): one file as the Response of a handler, with conditional requests and ranges. Not a directory of them
// (static-files.ts): whoever calls this has chosen the file.
import { basename, dirname } from 'node:path';
import { contentTypeOf } from '../content-type.ts';
import { planContent, type ContentPlan } from './content-plan.ts';
import { StoredFile } from './file-store.ts';
import { openBelow } from './open-file.ts';
import { fileBody } from './send-content.ts';

/** How a file is sent. */
export interface FileResponseOptions {
  /** Default: by the name of the file. */
  readonly contentType?: string;
  /** Sent with the file; they go before those that are made for it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name to save it by (RFC 6266): the browser does not show it. */
  readonly downloadName?: string;
}

/**
 * The answer to a GET or HEAD with a file: 200, 206, 304, 412 or 416; 404 where there is no such file. The file is read as the client
 * takes it.
 */
export async function fileResponse(
  request: Request,
  path: string,
  options: FileResponseOptions = {},
): Promise<Response> {
  const opened = await openBelow(dirname(path), [basename(path)]);
  if (opened === null || opened === 'directory') return new Response('404 Not Found\n', { status: 404 });
  const { handle, stats } = opened;
  const appearance = {
    contentType: options.contentType ?? contentTypeOf(path),
    contentEncoding: null,
    fields: [],
  };
  const requestFields: string[] = [];
  for (const [name, value] of request.headers) requestFields.push(name, value);
  const plan = planContent(request.method, requestFields, new StoredFile(stats, null, appearance));
  const headers = headersOf(plan, options);
  const { pieces, length, status } = plan;
  if (pieces === null) {
    await handle.close();
    return new Response(null, { status, headers });
  }
  headers.set('content-length', String(length));
  if (request.method === 'HEAD') {
    await handle.close();
    return new Response(null, { status, headers });
  }
  return new Response(ReadableStream.from(fileBody(handle, pieces)), { status, headers });
}

function headersOf({ fields }: ContentPlan, { headers = {}, downloadName }: FileResponseOptions): Headers {
  const made = new Headers();
  for (let i = 0; i < fields.length; i += 2) made.append(fields[i] ?? '', fields[i + 1] ?? '');
  if (downloadName !== undefined) made.set('content-disposition', contentDisposition(downloadName));
  for (const [name, value] of Object.entries(headers)) made.set(name, value);
  return made;
}

/** RFC 6266 §4.3: the name in ASCII for all, and as it is for who knows RFC 8187. */
function contentDisposition(name: string): string {
  const ascii = name.replaceAll(/[^ !#-[\]-~]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return ascii === name
    ? `attachment; filename="${name}"`
    : `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
