// A stream handler that tells what happens in chosen streams: each event on its way in, each command on its way out. Changes nothing.
import type { Observer } from '../observe/observation.ts';
import type { FieldLines } from '../protocol/http/field-lines.ts';
import type { Command, Commands } from './command.ts';
import type { StreamEnd, StreamHandle, StreamHandler, StreamHandlerFactory } from './stream-handler.ts';

/** What happened in a stream: an event on its way in, or a command on its way out. */
export type TraceEvent =
  | { readonly kind: 'init' }
  /** A view, valid during the call. */
  | { readonly kind: 'data'; readonly chunk: Buffer }
  | { readonly kind: 'end'; readonly trailers: FieldLines }
  | { readonly kind: 'info'; readonly message: unknown }
  | { readonly kind: 'command'; readonly command: Command }
  /** A handler further in threw. */
  | { readonly kind: 'thrown'; readonly error: unknown }
  | { readonly kind: 'terminate'; readonly end: StreamEnd };

/** Which streams are traced, and who is told. */
export interface TracerOptions {
  /** Chooses the streams: by method, path, fields, address … Called once for each, when its head is there. */
  readonly when: (stream: StreamHandle) => boolean;
  /** Called for everything that happens in them. `sinceMs` is the time since the head was there. */
  readonly trace?: (event: TraceEvent, stream: StreamHandle, sinceMs: number) => void;
  /** Gets an observation `stream-traced` for everything that happens in them; the error log has it at level debug. */
  readonly observer?: Observer;
}

/** Traces the streams that a predicate chooses; the others cost nothing but asking it. */
export function tracer(options: TracerOptions): StreamHandlerFactory {
  return { open: (stream, next) => (options.when(stream) ? new Tracer(stream, next(), options) : next()) };
}

class Tracer implements StreamHandler {
  readonly #stream: StreamHandle;
  readonly #inner: StreamHandler;
  readonly #options: TracerOptions;
  readonly #startedMs = performance.now();

  constructor(stream: StreamHandle, inner: StreamHandler, options: TracerOptions) {
    this.#stream = stream;
    this.#inner = inner;
    this.#options = options;
  }

  init(): Commands {
    this.#tell({ kind: 'init' });
    return this.#show(() => this.#inner.init());
  }

  data(chunk: Buffer): Commands {
    this.#tell({ kind: 'data', chunk });
    return this.#show(() => this.#inner.data(chunk));
  }

  end(trailers: FieldLines): Commands {
    this.#tell({ kind: 'end', trailers });
    return this.#show(() => this.#inner.end(trailers));
  }

  info(message: unknown): Commands {
    this.#tell({ kind: 'info', message });
    return this.#show(() => this.#inner.info(message));
  }

  terminate(end: StreamEnd): void {
    this.#tell({ kind: 'terminate', end });
    this.#inner.terminate(end);
  }

  #show(step: () => Commands): Commands {
    let commands: Commands;
    try {
      commands = step();
    } catch (error) {
      this.#tell({ kind: 'thrown', error });
      throw error;
    }
    if (commands === null) return null;
    const list = Array.isArray(commands) ? (commands as readonly Command[]) : [commands as Command];
    for (const command of list) this.#tell({ kind: 'command', command });
    return commands;
  }

  #tell(event: TraceEvent): void {
    const sinceMs = performance.now() - this.#startedMs;
    const { observer, trace } = this.#options;
    observer?.observe({
      kind: 'stream-traced',
      id: this.#stream.id,
      event: event.kind === 'command' ? event.command.kind : event.kind,
      detail: describe(event),
      sinceMs,
    });
    trace?.(event, this.#stream, sinceMs);
  }
}

/** In one line; bodies by their size only. */
function describe(event: TraceEvent): string {
  if (event.kind === 'data') return `${event.chunk.length} bytes`;
  if (event.kind === 'command') return describeCommand(event.command);
  if (event.kind === 'thrown') return String(event.error);
  if (event.kind === 'terminate') return event.end;
  if (event.kind !== 'info') return '';
  return typeof event.message === 'symbol' ? event.message.toString() : typeof event.message;
}

function describeCommand(command: Command): string {
  const { kind } = command;
  if (kind === 'response') {
    return `${command.status}, ${command.body === null ? 'no content' : `${Buffer.byteLength(command.body)} bytes`}`;
  }
  if (kind === 'headers' || kind === 'inform' || kind === 'error-response') return String(command.status);
  if (kind === 'data') return `${command.data.length} bytes${command.last ? ', the last' : ''}`;
  if (kind === 'flow') return `${command.bytes} bytes`;
  if (kind === 'internal-error') return `${command.where}: ${String(command.error)}`;
  return '';
}
