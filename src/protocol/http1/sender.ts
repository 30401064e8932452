// The sending half of an HTTP/1.x server connection: writes response heads and frames bodies.
import type { ByteWriter } from '../http/byte-writer.ts';
import type { FieldLines } from '../http/field-lines.ts';
import type { Http1RequestHead } from './request-head.ts';

/** Written; whether the connection must be closed once the response is complete. */
export interface Sent {
  readonly ok: true;
  readonly close: boolean;
}

/** Not written, nothing of it: which field (or `:status`, `content-length`) is wrong, and why. */
export interface Refused {
  readonly ok: false;
  readonly name: string;
  readonly reason: string;
}

export type SendResult = Sent | Refused;

export declare class Http1Sender {
  /** Head and body at once. `request` null: an error before there was a request; the connection then closes. */
  sendResponse(
    out: ByteWriter,
    request: Http1RequestHead | null,
    status: number,
    fields: FieldLines,
    body: Buffer | string | null,
    keepAlive: boolean,
    date: string,
    server: string | null,
  ): SendResult;
  /** The head of a response whose body follows with sendData and sendEnd. */
  sendHead(
    out: ByteWriter,
    request: Http1RequestHead | null,
    status: number,
    fields: FieldLines,
    body: { readonly contentLength: number | null },
    keepAlive: boolean,
    date: string,
    server: string | null,
  ): SendResult;
  /** Refused (`content-length`) where it is more than was announced. */
  sendData(out: ByteWriter, bytes: Buffer): SendResult;
  /** Refused (`content-length`) where less was sent than announced: cut the connection; or for a bad trailer: call again. */
  sendEnd(out: ByteWriter, trailers: FieldLines): SendResult;
  /** 100, 102 … 199 (not 101); not for HTTP/1.0 clients. */
  sendInform(out: ByteWriter, status: number, fields: FieldLines): SendResult;
}
