// The command as a process of its own, as a user runs it: started, watched, signalled, ended.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/howdah.js', import.meta.url));

/** The settings of whoever runs the tests must not reach the command. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('HOWDAH_')),
);

/** Long enough for a new database on a busy machine; reached by a defect only. */
const WAIT_MS = 60_000;

export interface Ended {
  /** null: killed by a signal. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Script to run instead of the repository's own. */
  readonly bin?: string;
  /** User to run as; only root may ask for another. */
  readonly uid?: number;
  /** A command, and its arguments, that ends in running those behind it. */
  readonly within?: readonly string[];
}

export class HowdahProcess {
  readonly child: ChildProcess;
  out = '';
  err = '';

  constructor(
    args: readonly string[],
    { cwd, env = {}, input, bin = BIN, uid, within = [] }: ProcessOptions,
  ) {
    const [command, ...others] = [...within, process.execPath, bin, ...args];
    this.child = spawn(command ?? '', others, {
      cwd,
      env: { ...ENVIRONMENT, ...env },
      ...(uid === undefined ? {} : { uid }),
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    // A command that ends before it reads its input closes the pipe.
    this.child.stdin?.on('error', () => {});
    this.child.stdin?.end(input);
  }

  /** Resolves when its output or its errors fit; rejects when it ends before. */
  async prints(pattern: RegExp, stream: 'out' | 'err' = 'out'): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(WAIT_MS);
    const source = stream === 'out' ? this.child.stdout : this.child.stderr;
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found !== null) return found;
      if (source === null || source.readableEnded)
        throw new Error(`no ${String(pattern)} in:\n${this.out}${this.err}`);
      await Promise.race([once(source, 'data', { signal }), once(source, 'end', { signal })]);
    }
  }

  async ended(): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'close', { signal: AbortSignal.timeout(WAIT_MS) });
    }
    return { code: this.child.exitCode, out: this.out, err: this.err };
  }

  /** Ends it if it runs, however it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
  }
}

export interface Served extends AsyncDisposable {
  readonly process: HowdahProcess;
  readonly url: string;
  readonly gatewayUrl: string | null;
}

/** A server on free ports, when its banner is there. */
export async function startServe(args: readonly string[], options: ProcessOptions): Promise<Served> {
  const addresses = ['--listen', '127.0.0.1:0', '--pg-listen', '127.0.0.1:0'];
  const running = new HowdahProcess(['serve', ...addresses, ...args], options);
  try {
    const [line, url = ''] = await running.prints(/^(https?:\/\/\S+)[^\n]*\n/m);
    const gatewayUrl = /postgres:\/\/[^\s)]+/.exec(line)?.[0] ?? null;
    return { process: running, url, gatewayUrl, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a command to its end. */
export const runHowdah = (args: readonly string[], options: ProcessOptions): Promise<Ended> =>
  new HowdahProcess(args, options).ended();

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'howdah-cli-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
