// A stream handler that measures each stream as it passes by: times, sizes, status and how it ended. What becomes of the figures is
// for whoever takes them.
import type { Observer } from '../observe/observation.ts';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { RequestHead } from '../protocol/http/request-head.ts';
import type { Command, Commands } from './command.ts';
import type { ConnectionInfo, StreamEnd, StreamHandle, StreamHandler } from './stream-handler.ts';
import type { StreamHandlerFactory } from './stream-handler.ts';

/** Times are milliseconds of `performance.now()`, null for what did not happen. */
export interface StreamMetrics {
  readonly id: string;
  readonly head: RequestHead;
  readonly connection: ConnectionInfo;
  /** When the request head was there. */
  readonly startedMs: number;
  /** When the request was complete; `startedMs` for one without a body. */
  readonly requestEndedMs: number | null;
  /** When the head of the response was sent. */
  readonly respondedMs: number | null;
  readonly endedMs: number;
  /** Of the final response; 0 where there was none. */
  readonly status: number;
  readonly responseFields: FieldLines;
  /** Informational responses, in order. */
  readonly informs: readonly number[];
  readonly requestBodyBytes: number;
  /** As they pass this handler: compressed where `compress` is further in. */
  readonly responseBodyBytes: number;
  readonly end: StreamEnd;
  /** What went wrong in a handler, where `end` is `failed` and it said so. */
  readonly error: unknown;
}

/** Who is told of each stream. */
export interface MetricsOptions {
  /** Called once for each stream, when it is over. What it throws goes to the observers and harms nobody. */
  readonly report?: (metrics: StreamMetrics) => void;
  /** Gets an observation `stream-measured` for each stream. */
  readonly observer?: Observer;
}

/** Measures streams. Stands outermost, to count what is sent and to see every stream. */
export function metrics(options: MetricsOptions): StreamHandlerFactory {
  return { open: (stream, next) => new MetricsHandler(stream, next(), options) };
}

class MetricsHandler implements StreamHandler {
  readonly #stream: StreamHandle;
  readonly #inner: StreamHandler;
  readonly #options: MetricsOptions;
  readonly #startedMs = performance.now();
  #requestEndedMs: number | null;
  #respondedMs: number | null = null;
  #status = 0;
  #fields: FieldLines = [];
  readonly #informs: number[] = [];
  #requestBodyBytes = 0;
  #responseBodyBytes = 0;
  #error: unknown = null;

  constructor(stream: StreamHandle, inner: StreamHandler, options: MetricsOptions) {
    this.#stream = stream;
    this.#inner = inner;
    this.#options = options;
    this.#requestEndedMs = stream.head.hasBody ? null : this.#startedMs;
  }

  init(): Commands {
    return this.#look(this.#guard(() => this.#inner.init()));
  }

  data(chunk: Buffer): Commands {
    this.#requestBodyBytes += chunk.length;
    return this.#look(this.#guard(() => this.#inner.data(chunk)));
  }

  end(trailers: FieldLines): Commands {
    this.#requestEndedMs ??= performance.now();
    return this.#look(this.#guard(() => this.#inner.end(trailers)));
  }

  info(message: unknown): Commands {
    return this.#look(this.#guard(() => this.#inner.info(message)));
  }

  terminate(end: StreamEnd): void {
    try {
      this.#inner.terminate(end);
    } finally {
      const measured = this.#measured(end);
      this.#options.observer?.observe({ kind: 'stream-measured', ...summary(measured) });
      this.#options.report?.(measured);
    }
  }

  #measured(end: StreamEnd): StreamMetrics {
    const { id, head, connection } = this.#stream;
    return {
      id,
      head,
      connection,
      startedMs: this.#startedMs,
      requestEndedMs: this.#requestEndedMs,
      respondedMs: this.#respondedMs,
      endedMs: performance.now(),
      status: this.#status,
      responseFields: this.#fields,
      informs: this.#informs,
      requestBodyBytes: this.#requestBodyBytes,
      responseBodyBytes: this.#responseBodyBytes,
      end,
      error: this.#error,
    };
  }

  #guard(step: () => Commands): Commands {
    try {
      return step();
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  #look(commands: Commands): Commands {
    if (commands === null) return null;
    if (Array.isArray(commands)) for (const command of commands as readonly Command[]) this.#lookAt(command);
    else this.#lookAt(commands as Command);
    return commands;
  }

  #lookAt(command: Command): void {
    const { kind } = command;
    if (kind === 'response') {
      this.#respond(command.status, command.fields);
      if (command.body !== null) this.#responseBodyBytes += Buffer.byteLength(command.body);
    } else if (kind === 'headers') {
      this.#respond(command.status, command.fields);
    } else if (kind === 'data') {
      this.#responseBodyBytes += command.data.length;
    } else if (kind === 'switch-protocol') {
      this.#respond(this.#stream.head.version === '2' ? 200 : 101, command.fields);
    } else if (kind === 'inform') {
      this.#informs.push(command.status);
    } else if (kind === 'internal-error') {
      this.#error = command.error;
    }
  }

  /** The first one is what is sent. */
  #respond(status: number, fields: FieldLines): void {
    if (this.#respondedMs !== null) return;
    this.#respondedMs = performance.now();
    this.#status = status;
    this.#fields = fields;
  }
}

function summary(measured: StreamMetrics) {
  const { id, head, startedMs, requestEndedMs, respondedMs, endedMs, status, end } = measured;
  const { requestBodyBytes, responseBodyBytes } = measured;
  return {
    id,
    method: head.method,
    version: head.version,
    status,
    end,
    requestMs: requestEndedMs === null ? null : requestEndedMs - startedMs,
    responseMs: respondedMs === null ? null : respondedMs - startedMs,
    durationMs: endedMs - startedMs,
    requestBodyBytes,
    responseBodyBytes,
  };
}
