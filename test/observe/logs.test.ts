// The access log and the error log: what stands in them, in both formats, and what must not.
import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HowdahError } from '../../src/errors.ts';
import { accessLog } from '../../src/observe/access-log.ts';
import { errorLog, LOG_LEVELS } from '../../src/observe/error-log.ts';
import type { LogLevel } from '../../src/observe/error-log.ts';
import { bufferedDestination, directDestination } from '../../src/observe/log-destination.ts';
import { logRecord } from '../../src/observe/log-records.ts';
import type { Observation } from '../../src/observe/observation.ts';

const DONE: Extract<Observation, { kind: 'request-done' }> = {
  kind: 'request-done',
  id: 'req-1',
  method: 'GET',
  target: '/hello?you',
  authority: '127.0.0.1:8080',
  version: '1.1',
  peer: '127.0.0.1',
  status: 200,
  receivedBytes: 0,
  sentBytes: 10,
  durationMs: 1.23456,
  end: 'answered',
};

const FAILED: Extract<Observation, { kind: 'handler-failed' }> = {
  kind: 'handler-failed',
  id: 'req-2',
  handler: 'public.broken(omni_httpd.http_request)',
  sqlState: '22012',
  message: 'division by zero',
  detail: null,
  hint: 'do not divide',
  where: 'PL/pgSQL function broken(omni_httpd.http_request) line 1 at RETURN',
};

function collected(): { text: string; write(line: string): void; flushSync(): void } {
  return {
    text: '',
    write(line) {
      this.text += line;
    },
    flushSync() {},
  };
}

function written(
  format: 'pretty' | 'json',
  observation: Observation,
  level: LogLevel = 'trace',
  colour = false,
): string {
  const destination = collected();
  errorLog({ format, destination, level, colour }).observe(observation);
  return destination.text;
}

describe('the access log', () => {
  const line = (change: Partial<typeof DONE> = {}, colour = false): string => {
    const destination = collected();
    accessLog({ format: 'pretty', destination, colour }).observe({ ...DONE, ...change });
    return destination.text;
  };

  test('has one readable line for a request', () => {
    assert.match(line(), /^\d\d:\d\d:\d\d 127\.0\.0\.1 GET \/hello\?you 200 10B 1\.23ms req-1\n$/);
  });

  test('says how a request ended that was not answered', () => {
    assert.match(line({ status: 0, end: 'client-left' }), / - 10B 1\.23ms req-1 client-left\n$/);
  });

  test('colours the status by its class where colours may be', () => {
    const ESC = '\u001b';
    for (const [status, colour] of [
      [204, 32],
      [304, 36],
      [404, 33],
      [500, 31],
      [0, 31],
    ] as const) {
      assert.ok(line({ status }, true).includes(`${ESC}[${colour}m${status === 0 ? '-' : status}${ESC}[39m`));
    }
    assert.ok(!line().includes(ESC));
  });

  test('shows control characters and spaces of the client instead of passing them on', () => {
    assert.match(line({ target: '/\u001b[2J\n\u009b x' }), / \/\\x1b\[2J\\x0a\\x9b\\x20x 200 /);
  });

  test('as JSON has every field, one object in a line', () => {
    const destination = collected();
    accessLog({ format: 'json', destination }).observe({ ...DONE, target: '/\u001b\n' });
    assert.equal(destination.text.split('\n').length, 2);
    const { time, level, kind, ...fields } = JSON.parse(destination.text) as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(level, 'info');
    assert.equal(kind, undefined);
    const { kind: _, ...expected } = { ...DONE, target: '/\u001b\n', durationMs: 1.23, msg: 'request' };
    assert.deepEqual(fields, expected);
  });

  test('leaves everything else to the error log', () => {
    const destination = collected();
    const log = accessLog({ format: 'json', destination });
    log.observe(FAILED);
    log.observe({ kind: 'server-stopped' });
    assert.equal(destination.text, '');
  });
});

describe('the error log', () => {
  test('leaves the ends of requests to the access log', () => {
    assert.equal(written('json', DONE), '');
    assert.equal(logRecord(DONE), null);
  });

  test('has all of a SQL error, with the id of the request', () => {
    const { time, ...fields } = JSON.parse(written('json', FAILED)) as Record<string, unknown>;
    assert.match(String(time), /Z$/);
    assert.deepEqual(fields, {
      level: 'error',
      id: 'req-2',
      sqlState: '22012',
      hint: 'do not divide',
      where: 'PL/pgSQL function broken(omni_httpd.http_request) line 1 at RETURN',
      msg: 'public.broken(omni_httpd.http_request) failed: division by zero',
    });
    const pretty = written('pretty', FAILED);
    for (const part of ['ERROR', 'division by zero', 'req-2', '22012', 'do not divide', 'line 1 at RETURN']) {
      assert.ok(pretty.includes(part), part);
    }
    assert.ok(!pretty.includes('detail'));
  });

  test('shows control characters of a message instead of passing them on', () => {
    const pretty = written('pretty', {
      ...FAILED,
      message: 'a\u001b[2J\rb\u009bc\\u001b\\\u0000\u007f\nd',
      detail: 'e\u001b\bf\ff',
    });
    // Made from the code points: these are what must not be there.
    assert.doesNotMatch(pretty.replaceAll(/[\n\t]/g, ''), /\p{Cc}/u);
    assert.ok(pretty.includes('a\\x1b[2J\\x0db\\x9bc\\u001b\\\\x00\\x7f\n'), pretty);
    assert.ok(pretty.includes('d'));
  });

  test('has colours only where they may be', () => {
    assert.match(written('pretty', FAILED, 'info', true), /\p{Cc}\[\d+m/u);
    assert.doesNotMatch(written('pretty', FAILED), /\p{Cc}\[/u);
  });

  test('writes what is at least of its level', () => {
    const ready: Observation = { kind: 'session-ready', description: 'x' };
    const seen = LOG_LEVELS.filter((level) => written('json', ready, level) !== '');
    assert.deepEqual(seen, ['trace', 'debug']);
    assert.equal(written('json', FAILED, 'silent'), '');
    const destination = collected();
    errorLog({ format: 'json', destination }).observe(ready);
    assert.equal(destination.text, '');
  });

  test('has the code and hint of an error of the table, and the stack of any other', () => {
    const coded = logRecord({ kind: 'server-failed', error: new HowdahError('HOWDAH_DATA_LOCKED', 'd') });
    assert.equal(coded?.message, 'another process uses this data directory: d');
    assert.deepEqual(Object.keys(coded.fields), ['code', 'hint']);
    const other = logRecord({ kind: 'internal-error', where: 'w', error: new TypeError('t') });
    assert.equal(other?.message, 'internal error in w: t');
    assert.match(String(other.fields['stack']), /TypeError: t\n/);
    assert.deepEqual(logRecord({ kind: 'internal-error', where: 'w', error: 'x' })?.fields, {});
  });

  test('has a level and a text for every kind', () => {
    const all: readonly [Observation, level: string, text: RegExp][] = [
      [{ kind: 'server-started', version: '1', database: 'd', workers: 1 }, 'info', /^howdah 1 started$/],
      [{ kind: 'server-draining', signal: 'SIGTERM', deadlineMs: 5 }, 'info', /^SIGTERM: .* 5 ms$/],
      [{ kind: 'server-stopped' }, 'info', /^stopped$/],
      [{ kind: 'listener-opened', id: 1, url: 'u' }, 'info', /^listening on u$/],
      [{ kind: 'listener-closed', id: 1, url: 'u' }, 'info', /no longer .* u$/],
      [{ kind: 'listener-failed', id: 1, address: 'a', reason: 'r' }, 'error', /on a: r$/],
      [{ kind: 'accept-failed', url: 'u', reason: 'r' }, 'warn', /on u: r$/],
      [
        { kind: 'stream-traced', id: 'i', event: 'data', detail: '5 bytes', sinceMs: 1 },
        'debug',
        /^stream data: 5 bytes$/,
      ],
      [{ kind: 'stream-traced', id: 'i', event: 'init', detail: '', sinceMs: 1 }, 'debug', /^stream init$/],
      [{ kind: 'request-refused', peer: 'p', status: 400, reason: 'r' }, 'info', /with 400: r$/],
      [{ kind: 'handler-timeout', id: 'i', handler: 'h', limitMs: 7 }, 'error', /^h ran longer than 7 ms/],
      [{ kind: 'handler-warning', id: 'i', message: 'm', detail: 'd' }, 'warn', /^m$/],
      [{ kind: 'sql-notice', severity: 'WARNING', code: '01000', message: 'm' }, 'warn', /^m$/],
      [{ kind: 'sql-notice', severity: 'NOTICE', code: '00000', message: 'm' }, 'info', /^m$/],
      [{ kind: 'sql-notice', severity: 'LOG', code: '00000', message: 'm' }, 'debug', /^m$/],
      [{ kind: 'session-lost', reason: 'r' }, 'error', /lost: r$/],
      [{ kind: 'catalog-swapped', epoch: '3', routes: 2, problems: 1 }, 'debug', /3: 2 routes, 1 problems$/],
      [{ kind: 'catalog-refused', reason: 'r' }, 'error', /refused.*: r$/],
      [{ kind: 'route-problem', router: 'r', handler: 'h', problem: 'p' }, 'warn', /r to h left out: p$/],
      [
        { kind: 'route-doubt', router: 'r', match: 'm', handler: 'h', doubt: 'd' },
        'warn',
        /r for m to h: d$/,
      ],
    ];
    for (const [observation, level, text] of all) {
      const record = logRecord(observation);
      assert.equal(record?.level, level, observation.kind);
      assert.match(record.message, text);
    }
  });
});

describe('a destination', () => {
  const inFile = (use: (fd: number, read: () => string) => void): void => {
    const directory = mkdtempSync(join(tmpdir(), 'howdah-log-'));
    const path = join(directory, 'log');
    try {
      use(openSync(path, 'w'), () => readFileSync(path, 'utf8'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  test('that is buffered gathers lines, and has them all once flushed', () => {
    inFile((fd, read) => {
      const destination = bufferedDestination(fd);
      destination.write('a\n');
      destination.write('b\n');
      assert.equal(read(), '');
      destination.flushSync();
      assert.equal(read(), 'a\nb\n');
    });
  });

  test('that is direct has each line at once', () => {
    inFile((fd, read) => {
      directDestination(fd).write('a\n');
      assert.equal(read(), 'a\n');
    });
  });
});
