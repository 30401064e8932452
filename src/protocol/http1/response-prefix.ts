// The beginning of response heads: status line, date and server. It is the same for all responses of one status in one
// second, so it is made once and kept until the date changes.
import { isFieldValue } from '../http/grammar.ts';
import { STATUS_REASONS } from '../http/status-reasons.ts';

/** `HTTP/1.1` also for HTTP/1.0 requests: it tells what the server can do (RFC 9110 §6.2). The phrase may be empty, the space before it not (RFC 9112 §4). */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_REASONS[status] ?? ''}\r\n`;
}

export class ResponsePrefixes {
  /** By status; there are at most 900. */
  readonly #texts = new Map<number, string>();
  #date = '';
  #server: string | null = null;

  /** Status line, `date` and `server` with their CRLFs. Throws for a date or a server that is no field value. */
  get(status: number, date: string, server: string | null): string {
    if (date !== this.#date || server !== this.#server) {
      if (!isFieldValue(date) || !isFieldValue(server ?? ''))
        throw new TypeError('date or server is no field value');
      this.#texts.clear();
      this.#date = date;
      this.#server = server;
    }
    let text = this.#texts.get(status);
    if (text === undefined) {
      text = statusLine(status) + dateLine(date) + serverLine(server);
      this.#texts.set(status, text);
    }
    return text;
  }
}

export function dateLine(date: string): string {
  return `date: ${date}\r\n`;
}

export function serverLine(server: string | null): string {
  return server === null ? '' : `server: ${server}\r\n`;
}
