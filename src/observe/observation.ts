// Everything that howdah tells about itself, as one union. Logs, metrics and traces subscribe; whoever observes
// something does not know who listens. Imports nothing.

/** What a server tells of itself: one type for logs, metrics and traces. `kind` says which. */
export type Observation =
  | {
      readonly kind: 'server-started';
      readonly version: string;
      readonly database: string;
      readonly workers: number;
    }
  | { readonly kind: 'server-failed'; readonly error: unknown }
  | { readonly kind: 'server-draining'; readonly signal: string; readonly deadlineMs: number }
  | { readonly kind: 'server-stopped' }
  /** Nothing is accepted any more, because omni_httpd.stop() was called or howdah's schema is not in the database. */
  | { readonly kind: 'serving-suspended'; readonly because: 'stopped' | 'absent' }
  | { readonly kind: 'serving-resumed' }
  /** Somebody dropped some of howdah's schemas: what was left was renamed, and all of it installed anew. */
  | { readonly kind: 'schema-set-aside'; readonly reason: string; readonly renamed: readonly string[] }
  /** While it is suspended, the database cannot be asked whether that is to end. */
  | { readonly kind: 'serving-unknown'; readonly reason: string }
  /** A new process with the same listening sockets serves in this one's place. */
  | { readonly kind: 'server-handed-over'; readonly pid: number }
  | { readonly kind: 'hand-over-failed'; readonly reason: string }
  | { readonly kind: 'listener-opened'; readonly id: number; readonly url: string }
  | {
      readonly kind: 'listener-failed';
      readonly id: number;
      readonly address: string;
      readonly reason: string;
    }
  | { readonly kind: 'listener-closed'; readonly id: number; readonly url: string }
  | { readonly kind: 'accept-failed'; readonly url: string; readonly reason: string }
  | { readonly kind: 'handshake-failed'; readonly url: string; readonly reason: string }
  | { readonly kind: 'proxy-header-refused'; readonly url: string; readonly reason: string }
  /** A listener serves as many connections as one of its alarms is set to. */
  | {
      readonly kind: 'connections-high';
      readonly url: string;
      readonly connections: number;
      readonly alarm: number;
    }
  | { readonly kind: 'certificate-failed'; readonly source: string; readonly reason: string }
  | {
      readonly kind: 'request-done';
      readonly id: string;
      readonly method: string;
      readonly target: string;
      readonly authority: string;
      readonly version: string;
      readonly peer: string;
      /** 0 where no response was sent. */
      readonly status: number;
      readonly receivedBytes: number;
      readonly sentBytes: number;
      readonly durationMs: number;
      readonly end: 'answered' | 'aborted' | 'client-left' | 'failed';
    }
  /** By the stream handler `metrics`, for each stream that it saw. */
  | {
      readonly kind: 'stream-measured';
      readonly id: string;
      readonly method: string;
      readonly version: string;
      /** 0 where no response was sent. */
      readonly status: number;
      readonly end: 'answered' | 'aborted' | 'client-left' | 'failed';
      /** Until the request was complete, and until the head of the response was sent; null for what did not happen. */
      readonly requestMs: number | null;
      readonly responseMs: number | null;
      readonly durationMs: number;
      readonly requestBodyBytes: number;
      readonly responseBodyBytes: number;
    }
  /** By the stream handler `tracer`, for each event and command of the streams that it traces. */
  | {
      readonly kind: 'stream-traced';
      readonly id: string;
      readonly event: string;
      readonly detail: string;
      readonly sinceMs: number;
    }
  | {
      readonly kind: 'request-refused';
      readonly peer: string;
      readonly status: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'websocket-failed';
      readonly peer: string;
      readonly closeCode: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'handler-failed';
      readonly id: string;
      readonly handler: string;
      readonly sqlState: string | null;
      readonly message: string;
      readonly detail: string | null;
      readonly hint: string | null;
      readonly where: string | null;
    }
  | {
      readonly kind: 'handler-timeout';
      readonly id: string;
      readonly handler: string;
      readonly limitMs: number;
    }
  | {
      readonly kind: 'handler-warning';
      readonly id: string;
      readonly message: string;
      readonly detail: string;
    }
  | {
      readonly kind: 'sql-notice';
      readonly severity: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'session-lost'; readonly reason: string }
  | { readonly kind: 'session-ready'; readonly description: string }
  | {
      readonly kind: 'catalog-swapped';
      readonly epoch: string;
      readonly routes: number;
      readonly problems: number;
    }
  | { readonly kind: 'configuration-refused'; readonly reason: string }
  | {
      readonly kind: 'worker-started';
      readonly worker: number;
      readonly pid: number;
      readonly startMs: number;
    }
  /** It ended by itself, or was ended because it hung. */
  | {
      readonly kind: 'worker-ended';
      readonly worker: number;
      readonly pid: number;
      readonly reason: string;
      readonly restartMs: number;
    }
  /** Its predecessors ended soon after their start as well. */
  | {
      readonly kind: 'worker-crash-loop';
      readonly worker: number;
      readonly ends: number;
      readonly reason: string;
    }
  | { readonly kind: 'worker-hung'; readonly worker: number; readonly pid: number; readonly silentMs: number }
  | { readonly kind: 'workers-changed'; readonly workers: number; readonly reason: string }
  | { readonly kind: 'catalog-refused'; readonly reason: string }
  | {
      readonly kind: 'route-problem';
      readonly router: string;
      readonly handler: string;
      readonly problem: string;
    }
  | {
      /** It is served, and hardly as it was meant. */
      readonly kind: 'route-doubt';
      readonly router: string;
      readonly match: string;
      readonly handler: string;
      readonly doubt: string;
    }
  | { readonly kind: 'internal-error'; readonly where: string; readonly error: unknown };

/** Who is told. Must not throw, nor take long. */
export interface Observer {
  observe(observation: Observation): void;
}

/** Passes each observation to all observers, in order. */
export function fanOut(observers: readonly Observer[]): Observer {
  return {
    observe(observation) {
      for (const observer of observers) observer.observe(observation);
    },
  };
}
