// The deadlines of one HTTP/1 connection: since when it waits for what, and whether that is too long. Answers and closes nothing.
import type { Socket } from 'node:net';
import type { BodyAllowance } from './body-allowance.ts';
import { SendProgress } from './send-progress.ts';
import type { ServerOptions } from './server-options.ts';

/** What a connection waits for: what its client is to do, or the handler. */
export type Http1Wait = 'request' | 'last-request' | 'head' | 'body' | 'handler' | 'taking' | 'closing';

export class Http1Deadlines {
  idleTimeoutMs: number;
  readonly #options: ServerOptions;
  readonly #socket: Socket;
  readonly #body: BodyAllowance;
  readonly #taking = new SendProgress();
  /** When the head began to come, or the end of the connection; when the client last showed progress. */
  #sinceMs: number;
  #progressMs: number;

  constructor(options: ServerOptions, socket: Socket, body: BodyAllowance, nowMs: number) {
    this.idleTimeoutMs = options.idleTimeoutMs;
    this.#options = options;
    this.#socket = socket;
    this.#body = body;
    this.#sinceMs = nowMs;
    this.#progressMs = nowMs;
  }

  /** The client has begun a head, or has taken the end of our side. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** The client has sent or taken something, or been answered. */
  progressed(nowMs: number): void {
    this.#progressMs = nowMs;
  }

  /** Whether nothing has come for so long that no request is to be expected on its way (drainIdleMs). */
  isQuiet(nowMs: number): boolean {
    return nowMs - this.#progressMs > this.#options.drainIdleMs;
  }

  /** Whether the connection has waited for this for too long. To be asked now and then. */
  passed(wait: Http1Wait, nowMs: number): boolean {
    const { requestTimeoutMs, lingerTimeoutMs, bodyGraceMs, minBodyBytesPerSecond } = this.#options;
    if (wait !== 'taking') this.#taking.reset();
    switch (wait) {
      case 'request':
        return nowMs - this.#progressMs > this.idleTimeoutMs;
      case 'last-request':
        return this.isQuiet(nowMs);
      case 'head':
        return nowMs - this.#sinceMs > requestTimeoutMs;
      case 'body':
        return this.#body.tooSlow(nowMs, bodyGraceMs, minBodyBytesPerSecond);
      case 'taking':
        return this.#taking.stalled(this.#socket, nowMs, this.idleTimeoutMs);
      case 'closing':
        return nowMs - this.#sinceMs > lingerTimeoutMs;
      case 'handler':
        break;
    }
    return false;
  }
}
