// What an HTTP/1 connection sends: its sender, the output it writes into, and the fields that all its responses share.
// Decides nothing about the connection.
import { NO_FIELDS, type FieldLines } from '../protocol/http/field-lines.ts';
import type { Http1RequestHead } from '../protocol/http1/request-head.ts';
import type { SendResult } from '../protocol/http1/send-result.ts';
import { Http1Sender } from '../protocol/http1/sender.ts';
import type { ConnectionHost } from './connection.ts';
import type { ConnectionOutput } from './connection-output.ts';
import { earlyError } from './early-error.ts';

type Head = Http1RequestHead | null;

export class Http1Responder {
  readonly #server: ConnectionHost;
  readonly #output: ConnectionOutput;
  readonly #sender = new Http1Sender();

  constructor(server: ConnectionHost, output: ConnectionOutput) {
    this.#server = server;
    this.#output = output;
  }

  sendContinue(): void {
    this.#sender.sendInform(this.#output.writer, 100, NO_FIELDS);
  }

  sendInform(status: number, fields: FieldLines): SendResult {
    return this.#sender.sendInform(this.#output.writer, status, fields);
  }

  sendResponse(
    head: Head,
    status: number,
    fields: FieldLines,
    body: Buffer | string | null,
    keep: boolean,
  ): SendResult {
    const { clock, options } = this.#server;
    const { writer } = this.#output;
    return this.#sender.sendResponse(
      writer,
      head,
      status,
      fields,
      body,
      keep,
      clock.date,
      options.serverName,
    );
  }

  sendHead(
    head: Head,
    status: number,
    fields: FieldLines,
    contentLength: number | null,
    keep: boolean,
  ): SendResult {
    const { clock, options } = this.#server;
    const { writer } = this.#output;
    const length = { contentLength };
    return this.#sender.sendHead(writer, head, status, fields, length, keep, clock.date, options.serverName);
  }

  sendData(data: Buffer): void {
    this.#sender.sendData(this.#output.writer, data);
  }

  sendEnd(trailers: FieldLines): void {
    this.#sender.sendEnd(this.#output.writer, trailers);
  }

  sendSwitch(protocol: string, fields: FieldLines): SendResult {
    return this.#sender.sendSwitch(this.#output.writer, protocol, fields, this.#server.options.serverName);
  }

  /** Answers what never became a request, or is none any more; the connection closes after it. */
  sendEarlyError(
    head: Head,
    status: number,
    reason: string,
    partial: { method: string; path: string } | null,
  ): void {
    const error = earlyError(this.#server.streams.handlers, status, reason, partial);
    this.sendResponse(head, error.status, error.fields, error.body, false);
  }
}
