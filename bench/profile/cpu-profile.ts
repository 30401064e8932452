// Sums the profiles that V8 writes (`--cpu-prof`) by the room of the code that ran: where a request's time goes. Reads
// nothing and runs nothing.

/** The parts of a .cpuprofile that are looked at; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** Counts from 0. */
      readonly lineNumber: number;
    };
  }[];
  readonly startTime: number;
  /** The node that ran at each sample, and the time since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface ProfileLine {
  readonly name: string;
  readonly us: number;
}

export interface ProfileSum {
  /** Busy time of all profiles together. */
  readonly busyUs: number;
  readonly rooms: readonly ProfileLine[];
  readonly functions: readonly ProfileLine[];
}

const IDLE = '(idle)';
/** Node.js's own code on the way of bytes between a socket and its user. */
const SOCKETS =
  /^node:(net|_tls_\w+|tls|internal\/(stream_base_commons|streams\/|js_stream|tls|event_target|timers))/;

/** Which part of the program a function belongs to. */
export function roomOf(functionName: string, url: string): string {
  if (url === '') {
    if (functionName === '(garbage collector)') return 'garbage collector';
    if (functionName === '(program)')
      return 'native code outside of calls from JavaScript: reads, event loop';
    return 'native code called from JavaScript: writes, buffers, strings';
  }
  if (url.startsWith('wasm://')) return 'PostgreSQL in WebAssembly';
  if (SOCKETS.test(url)) return "Node.js's sockets, streams and timers";
  if (url.startsWith('node:')) return 'the rest of Node.js';
  const inPackage = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  const inSource = /\/src\/(protocol\/[^/]+|[^/]+)\//.exec(url)?.[1];
  if (inSource !== undefined) return `src/${inSource}`;
  return url.includes('/bench/') ? 'the handler of the benchmark' : 'other scripts';
}

interface Window {
  readonly fromUs: number;
  readonly toUs: number;
}

interface Sample {
  readonly node: CpuProfile['nodes'][number];
  readonly atUs: number;
  readonly us: number;
}

function* samplesOf(profile: CpuProfile): Generator<Sample> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    const node = nodes.get(id);
    // A sample stands for the time until the next one.
    if (node !== undefined) yield { node, atUs, us: profile.timeDeltas[index + 1] ?? 0 };
  }
}

const BUCKET_US = 100_000;
const BUSY_SHARE = 0.3;

/**
 * The stretch of the given length that ends when the process was last busy for a tenth of a second: of a server that was
 * loaded until it was stopped, the last part of that load. Null where it was never busy.
 */
export function lastBusyWindow(profiles: readonly CpuProfile[], lengthUs: number): Window | null {
  const busy = new Map<number, number>();
  for (const profile of profiles) {
    for (const { node, atUs, us } of samplesOf(profile)) {
      if (node.callFrame.functionName === IDLE) continue;
      const bucket = Math.floor(atUs / BUCKET_US);
      busy.set(bucket, (busy.get(bucket) ?? 0) + us);
    }
  }
  const last = Math.max(
    ...[...busy].filter(([, us]) => us > BUCKET_US * BUSY_SHARE).map(([bucket]) => bucket),
  );
  if (!Number.isFinite(last)) return null;
  const toUs = last * BUCKET_US;
  return { fromUs: toUs - lengthUs, toUs };
}

function sorted(sums: ReadonlyMap<string, number>): ProfileLine[] {
  return [...sums].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);
}

/** Sums the time of each function itself, not that of those it calls, by room and by function. */
export function sumProfiles(profiles: readonly CpuProfile[], window: Window): ProfileSum {
  const rooms = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyUs = 0;
  const add = (sums: Map<string, number>, name: string, us: number): unknown =>
    sums.set(name, (sums.get(name) ?? 0) + us);
  for (const profile of profiles) {
    for (const { node, atUs, us } of samplesOf(profile)) {
      const { functionName, url, lineNumber } = node.callFrame;
      if (functionName === IDLE || atUs < window.fromUs || atUs >= window.toUs) continue;
      busyUs += us;
      const room = roomOf(functionName, url);
      add(rooms, room, us);
      const file = url.slice(url.lastIndexOf('/') + 1);
      const place = file === '' ? '' : ` ${file}:${lineNumber + 1}`;
      // The functions of PostgreSQL have numbers, not names: thousands of lines that say nothing.
      const isWasm = url.startsWith('wasm://');
      add(functions, isWasm ? room : `${functionName || '(anonymous)'}${place}`, us);
    }
  }
  return { busyUs, rooms: sorted(rooms), functions: sorted(functions) };
}
