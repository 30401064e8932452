// A server that a document starts in its background: the process, its banner, and the addresses that stand in for the
// documented ones, so that nothing depends on ports 8080 and 5433 being free.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const START_TIMEOUT_MS = 60_000;
const DOCUMENTED_PORTS = {
  listen: 8080,
  'pg-listen': 5433,
  'tls-listen': 8443,
  'admin-listen': 9090,
} as const;

/** Commands that start a server and stay in the foreground. */
const SERVE = /^(?:\w+=\S+ +)*(?:npm start|(?:npx +)?howdah serve)\b/;

export const startsServer = (command: string): boolean => SERVE.test(command);

export class RunningServer {
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, number>();
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** Ready when the banner is there; throws with what it printed if it ends before. */
  static async start(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<RunningServer> {
    const documented = { ...DOCUMENTED_PORTS } as Record<string, number>;
    const anyPort = command
      .replace(/\s*&\s*$/, '')
      .replaceAll(
        /--(listen|pg-listen|tls-listen|admin-listen)([ =]\S*?)(\d+)(?=['"\s]|$)/g,
        (_, name: string, before: string, port: string) => {
          documented[name] = Number(port);
          return `--${name}${before}0`;
        },
      );
    const child = spawn('bash', ['-c', `exec ${anyPort.replace(/^((?:\w+=\S+ +)+)/, 'env $1')}`], {
      cwd,
      env: {
        ...env,
        HOWDAH_LISTEN: '127.0.0.1:0',
        HOWDAH_PG_LISTEN: '127.0.0.1:0',
        ...(/ --tls-/.test(command) ? { HOWDAH_TLS_LISTEN: '127.0.0.1:0' } : {}),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that npm, its shell and the server end together.
      detached: true,
    });
    const server = new RunningServer(child);
    await server.#bannerLine(command);
    const [, http] = /^http:\/\/\S+?:(\d+)/m.exec(server.#output) ?? [];
    const [, https] = /^https:\/\/\S+?:(\d+)/m.exec(server.#output) ?? [];
    const [, gateway] = /postgres:\/\/\S+?:(\d+)/.exec(server.#output) ?? [];
    if (http !== undefined) server.#ports.set(documented['listen'] ?? 0, Number(http));
    if (https !== undefined) server.#ports.set(documented['tls-listen'] ?? 0, Number(https));
    const [, admin] = /:(\d+) +for \/livez/.exec(server.#output) ?? [];
    if (admin !== undefined) server.#ports.set(documented['admin-listen'] ?? 0, Number(admin));
    if (gateway !== undefined) server.#ports.set(documented['pg-listen'] ?? 0, Number(gateway));
    return server;
  }

  async #bannerLine(command: string): Promise<void> {
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    try {
      while (!/^(?:https?:\/\/|no listener)[^\n]*\n/m.test(this.#output)) {
        if (this.#child.exitCode !== null) throw new Error('it ended');
        await Promise.race([
          this.#child.stdout === null ? Promise.resolve() : once(this.#child.stdout, 'data', { signal }),
          once(this.#child, 'close', { signal }),
        ]);
      }
    } catch (error) {
      await this.stop();
      throw new Error(`"${command}" did not start:\n${this.#output}`, { cause: error });
    }
  }

  /** What it has printed, with the documented addresses. */
  get output(): string {
    return this.withDocumentedPorts(this.#output.replaceAll(/^(?:>.*)?\n/gm, ''));
  }

  withEffectivePorts(text: string): string {
    let changed = text;
    for (const [documented, effective] of this.#ports) {
      changed = changed.replaceAll(new RegExp(`([\\w\\]]:)${documented}\\b`, 'g'), `$1${effective}`);
    }
    return changed;
  }

  withDocumentedPorts(text: string): string {
    let changed = text;
    for (const [documented, effective] of this.#ports) {
      changed = changed.replaceAll(new RegExp(`([\\w\\]]:)${effective}\\b`, 'g'), `$1${documented}`);
    }
    return changed;
  }

  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
      return;
    const closed = once(this.#child, 'close');
    process.kill(-this.#child.pid, 'SIGTERM');
    await closed;
  }
}
