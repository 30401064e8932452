// The access log: one line for each request that ended. Not the error log (error-log.ts). To have none, do not
// subscribe it: then a request costs it nothing.
import { recordLogger } from './log-destination.ts';
import type { LogDestination } from './log-destination.ts';
import type { Observation, Observer } from './observation.ts';

export type LogFormat = 'pretty' | 'json';

export interface AccessLogOptions {
  readonly format: LogFormat;
  readonly destination: LogDestination;
  /** Whether a pretty line may carry ANSI colours; false by default. */
  readonly colour?: boolean;
}

type RequestDone = Extract<Observation, { kind: 'request-done' }>;

export function accessLog(options: AccessLogOptions): Observer {
  const write =
    options.format === 'json'
      ? jsonWriter(options.destination)
      : prettyWriter(options.destination, options.colour ?? false);
  return {
    observe(observation) {
      if (observation.kind === 'request-done') write(observation);
    },
  };
}

function jsonWriter(destination: LogDestination): (done: RequestDone) => void {
  const logger = recordLogger(destination, 'info');
  return (done) => {
    logger.info(
      {
        id: done.id,
        method: done.method,
        target: done.target,
        authority: done.authority,
        version: done.version,
        peer: done.peer,
        status: done.status,
        receivedBytes: done.receivedBytes,
        sentBytes: done.sentBytes,
        durationMs: roundedMs(done.durationMs),
        end: done.end,
      },
      'request',
    );
  };
}

// Built by hand: pino-pretty would parse the JSON of every line again, at some twenty times the cost.
function prettyWriter(destination: LogDestination, colour: boolean): (done: RequestDone) => void {
  const paint = colour ? painted : plain;
  return (done) => {
    const end = done.end === 'answered' ? '' : ` ${done.end}`;
    destination.write(
      `${clock(Date.now())} ${done.peer} ${visible(done.method)} ${visible(done.target)} ` +
        `${paint(done.status)} ${done.sentBytes}B ${roundedMs(done.durationMs)}ms ${done.id}${end}\n`,
    );
  };
}

const plain = (status: number): string => (status === 0 ? '-' : String(status));

const GREEN = 32;
const CYAN = 36;
const YELLOW = 33;
const RED = 31;

function painted(status: number): string {
  const colour = status === 0 || status >= 500 ? RED : status >= 400 ? YELLOW : status >= 300 ? CYAN : GREEN;
  return `\u001b[${colour}m${plain(status)}\u001b[39m`;
}

/**
 * What came from the client, with everything that a terminal could take for a command replaced: an escape sequence in
 * a request target must not reach the terminal of whoever reads the log.
 */
function visible(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_EACH, hexEscape) : text;
}

const UNSAFE = /[\p{Cc}\s]/u;
const UNSAFE_EACH = new RegExp(UNSAFE, 'gu');
const hexEscape = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;

const roundedMs = (ms: number): number => Math.round(ms * 100) / 100;

let clockSecond = -1;
let clockText = '';

/** Local time of day, HH:MM:SS; a Date is made once a second, not once a line. */
function clock(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== clockSecond) {
    clockSecond = second;
    clockText = new Date(nowMs).toTimeString().slice(0, 8);
  }
  return clockText;
}
