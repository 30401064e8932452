// `howdah sql`: a small SQL shell on a running server. From a text, a file or a pipe it stops at the first error; on a
// terminal it has a prompt and goes on.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { DatabaseError } from 'pg';
import { EXIT_CODES } from './exit-codes.ts';
import type { SqlSettings } from './program.ts';
import { findServer } from './server-address.ts';
import { messageText } from './server-message.ts';
import { openSession } from './sql-session.ts';
import type { ResultColumn, ResultSink, SqlSession } from './sql-session.ts';
import { splitStatements } from './sql-statements.ts';
import type { MetaCommand, Statement } from './sql-statements.ts';
import { rowCount, textTable } from './text-table.ts';

/** The streams of the process, or of a test. */
export interface ShellStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Gives the exit code. */
export async function runSql(settings: SqlSettings, streams: ShellStreams): Promise<number> {
  const interactive = settings.command === null && settings.file === null && streams.stdin.isTTY === true;
  const script = interactive ? null : await readScript(settings, streams);
  const session = await openSession(findServer(settings));
  try {
    session.onNotice((notice) => streams.stderr.write(messageText(notice, null)));
    const shell = new Shell(session, streams);
    if (script === null) {
      await shell.converse();
      return EXIT_CODES.done.code;
    }
    return (await shell.runScript(script)) ? EXIT_CODES.done.code : EXIT_CODES.failed.code;
  } finally {
    await session.close();
  }
}

interface Script {
  readonly sql: string;
  /** What its errors name as their place; null: nothing, since there is only the one text. */
  readonly source: string | null;
}

async function readScript(settings: SqlSettings, streams: ShellStreams): Promise<Script> {
  if (settings.command !== null) return { sql: settings.command, source: null };
  if (settings.file !== null) return { sql: await readFile(settings.file, 'utf8'), source: settings.file };
  return { sql: await readAll(streams.stdin), source: '<stdin>' };
}

const PROMPT = 'howdah=> ';
const CONTINUATION_PROMPT = 'howdah-> ';
const HISTORY_LINES = 1000;

const SHELL_HELP = `Type SQL, each statement ended by a semicolon.
  \\q or Ctrl-D   leave
  \\?             this help
  Ctrl-C         drop what was typed since the last semicolon
psql, which can do more, reaches the same server.
`;

/** `quit` leaves; `failed` has been reported. */
type ItemResult = 'done' | 'failed' | 'quit';

class Shell {
  readonly #session: SqlSession;
  readonly #streams: ShellStreams;

  constructor(session: SqlSession, streams: ShellStreams) {
    this.#session = session;
    this.#streams = streams;
  }

  /** Whether all of it ran without an error. */
  async runScript({ sql, source }: Script): Promise<boolean> {
    const { items, rest } = splitStatements(sql);
    for (const item of rest === null ? items : [...items, rest]) {
      const result = await this.#runItem(item, source);
      if (result !== 'done') return result === 'quit';
    }
    return true;
  }

  /** Until the end of input or `\q`. */
  async converse(): Promise<void> {
    const { stdin, stdout } = this.#streams;
    const lines = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      historySize: HISTORY_LINES,
    });
    let typed = '';
    const prompt = (): void => {
      lines.setPrompt(splitStatements(typed).rest === null ? PROMPT : CONTINUATION_PROMPT);
      lines.prompt();
    };
    lines.on('SIGINT', () => {
      typed = '';
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      stdout.write('\n');
      prompt();
    });
    stdout.write('howdah sql: type \\? for help.\n');
    prompt();
    try {
      for await (const line of lines) {
        const { items, rest } = splitStatements(`${typed}${line}\n`);
        typed = rest?.text ?? '';
        for (const item of items) if ((await this.#runItem(item, null)) === 'quit') return;
        prompt();
      }
      stdout.write('\n');
    } finally {
      lines.close();
    }
  }

  async #runItem(item: Statement | MetaCommand, source: string | null): Promise<ItemResult> {
    if ('meta' in item) return this.#runMeta(item, source);
    try {
      await this.#session.run(item.text, new ResultPrinter(this.#streams));
      return 'done';
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#streams.stderr.write(messageText(error, { statement: item.text, source, line: item.line }));
      return 'failed';
    }
  }

  #runMeta({ meta, line }: MetaCommand, source: string | null): ItemResult {
    if (meta === '\\q') return 'quit';
    if (meta === '\\?') {
      this.#streams.stdout.write(SHELL_HELP);
      return 'done';
    }
    const place = source === null ? '' : `${source}:${line}: `;
    this.#streams.stderr.write(
      `${place}ERROR:  ${meta.split(/\s/, 1)[0] ?? meta} is not a command here; psql has more\n`,
    );
    return 'failed';
  }
}

/** int8, int2, int4, oid, xid, cid, float4, float8, money, numeric: src/include/catalog/pg_type.dat. */
const NUMBER_TYPES = new Set([20, 21, 23, 26, 28, 29, 700, 701, 790, 1700]);

/** Tags of commands whose rows are the whole result; those with RETURNING show their tag below their rows. */
const ROWS_ONLY = /^(?!INSERT|UPDATE|DELETE|MERGE)/;

class ResultPrinter implements ResultSink {
  readonly #streams: ShellStreams;
  #columns: readonly ResultColumn[] | null = null;
  #rows: (readonly (string | null)[])[] = [];
  #copied = false;

  constructor(streams: ShellStreams) {
    this.#streams = streams;
  }

  columns(columns: readonly ResultColumn[]): void {
    this.#columns = columns;
    this.#rows = [];
  }

  row(values: readonly (string | null)[]): void {
    this.#rows.push(values);
  }

  complete(tag: string): void {
    const { stdout } = this.#streams;
    if (this.#columns !== null) {
      const columns = this.#columns.map(({ name, type }) => ({ name, right: NUMBER_TYPES.has(type) }));
      stdout.write(`${textTable(columns, this.#rows)}${rowCount(this.#rows.length)}\n`);
    }
    // The data of a COPY … TO STDOUT is meant for whoever reads the output: no tag may follow it.
    if (!this.#copied && (this.#columns === null || !ROWS_ONLY.test(tag))) stdout.write(`${tag}\n`);
    this.#columns = null;
    this.#copied = false;
  }

  copied(data: Buffer): void {
    this.#copied = true;
    this.#streams.stdout.write(data);
  }
}
