// Runs every code block of a document as a reader would, in a directory of its own that looks like a clone.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { consoleSteps, outputFits } from './console-session.ts';
import { codeBlocks } from './markdown-blocks.ts';
import type { CodeBlock } from './markdown-blocks.ts';
import { RunningServer, startsServer } from './running-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND_TIMEOUT_MS = 60_000;

/** Throws on the first block that does not do what the document says; gives the number of blocks that ran. */
export async function runDocument(name: string, markdown: string): Promise<number> {
  // Documents on servers start theirs with what DATABASE_URL says.
  const postgres = markdown.includes('howdah serve --database env') ? await startPostgres() : null;
  const reader = new Reader(postgres);
  let ran = 0;
  try {
    for (const block of codeBlocks(markdown)) {
      if (block.notRun !== null) continue;
      try {
        await reader.run(block);
      } catch (error) {
        throw new Error(`${name}:${block.line}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
      ran += 1;
    }
  } finally {
    await reader.leave();
    await postgres?.stop();
  }
  return ran;
}

class Reader {
  readonly #home = mkdtempSync(join(tmpdir(), 'howdah-docs-'));
  readonly #clone = join(this.#home, 'howdah');
  readonly #database: NodeJS.ProcessEnv;
  #server: RunningServer | null = null;

  constructor(postgres: TestPostgres | null) {
    this.#database =
      postgres === null
        ? {}
        : { DATABASE_URL: `postgres://postgres@/postgres?host=${encodeURIComponent(postgres.socketDir)}` };
    mkdirSync(join(this.#clone, 'node_modules/.bin'), { recursive: true });
    cpSync(join(root, 'package.json'), join(this.#clone, 'package.json'));
    for (const entry of ['bin', 'src', 'sql', 'scripts', 'examples', 'docs', 'test']) {
      if (existsSync(join(root, entry))) symlinkSync(join(root, entry), join(this.#clone, entry));
    }
    symlinkSync(join(root, 'bin/howdah.js'), join(this.#clone, 'node_modules/.bin/howdah'));
    // curl draws a progress bar when its output is no terminal, which a reader does not see.
    writeFileSync(join(this.#home, '.curlrc'), 'no-progress-meter\n');
  }

  async run(block: CodeBlock): Promise<void> {
    switch (block.language) {
      case 'console':
        for (const step of consoleSteps(block.code)) await this.#step(step.command, step.expected);
        return;
      case 'sh':
        for (const { command } of consoleSteps(asSteps(block.code))) await this.#step(command, []);
        return;
      case 'sql':
        await this.#sql(block.code);
        return;
      case 'ts':
        this.#typescript(block);
        return;
      case 'json':
        JSON.parse(block.code);
        return;
      case 'text':
      case 'mermaid':
        return;
      default:
        throw new Error(
          `nobody can run a block of language "${block.language}": say why with <!-- not run: … -->`,
        );
    }
  }

  async #step(command: string, expected: readonly string[]): Promise<void> {
    const output = startsServer(command) ? await this.#serve(command) : this.#command(command);
    if (outputFits(expected, output)) return;
    throw new Error(`"${command}" printed\n${output}\nand not\n${expected.join('\n')}`);
  }

  async #serve(command: string): Promise<string> {
    await this.#server?.stop();
    this.#server = await RunningServer.start(command, this.#clone, this.#env());
    return this.#server.output;
  }

  #command(command: string, input = ''): string {
    const { status, stdout, error } = spawnSync(
      'bash',
      ['-c', `exec 2>&1; ${this.#server?.withEffectivePorts(command) ?? command}`],
      { cwd: this.#clone, env: this.#env(), encoding: 'utf8', input, timeout: COMMAND_TIMEOUT_MS },
    );
    if (error !== undefined) throw error;
    const output = this.#server?.withDocumentedPorts(stdout) ?? stdout;
    if (status !== 0) throw new Error(`"${command}" ended with ${status}:\n${output}`);
    return output;
  }

  /** On the server that the document has started, or else on one of its own that is as good as new. */
  async #sql(code: string): Promise<void> {
    this.#server ??= await RunningServer.start('howdah serve --memory', this.#clone, this.#env());
    const [url] = /postgres:\/\/[^\s)]+/.exec(this.#server.output) ?? [];
    if (url === undefined) throw new Error('the server of this document admits no SQL clients');
    this.#command(`howdah sql --url ${url}`, code);
  }

  #typescript({ code, line }: CodeBlock): void {
    const file = join(this.#clone, `block-${line}.ts`);
    writeFileSync(file, code);
    const project = join(this.#clone, `block-${line}.json`);
    const api = join(root, 'src/index.ts');
    writeFileSync(
      project,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { paths: { howdah: [api] }, typeRoots: [join(root, 'node_modules/@types')] },
        files: [file],
        include: [],
      }),
    );
    this.#command(`'${join(root, 'node_modules/.bin/tsc')}' -p '${project}'`);
    const resolver = join(this.#home, 'resolver.mjs');
    writeFileSync(
      resolver,
      `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) =>
  next(name === 'howdah' ? ${JSON.stringify(pathToFileURL(api).href)} : name, context) });`,
    );
    this.#command(`'${process.execPath}' --import '${resolver}' '${file}'`);
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: [
        join(this.#clone, 'node_modules/.bin'),
        join(process.execPath, '..'),
        process.env['PATH'] ?? '',
      ].join(delimiter),
      HOME: this.#home,
      ...this.#database,
      LANG: 'C.UTF-8',
      // `npm start` without its prestart: what that installs is here already.
      npm_config_ignore_scripts: 'true',
      npm_config_update_notifier: 'false',
      npm_config_loglevel: 'error',
    };
  }

  async leave(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** A shell block shows no output: each line that continues none is a command. */
function asSteps(code: string): string {
  const lines = code.split('\n');
  let end: string | null = null;
  let continued = false;
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const inside = continued || end !== null;
      if (line === end) end = null;
      else end ??= /<<-?\s*(['"]?)(\w+)\1/.exec(line)?.[2] ?? null;
      continued = line.endsWith('\\');
      return inside ? line : `$ ${line}`;
    })
    .join('\n');
}
