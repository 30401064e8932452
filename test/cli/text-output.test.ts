// What the command prints: tables, error messages, the route list, the banner, failures.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { banner } from '../../src/cli/banner.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { SqlFailure } from '../../src/database/exchange-result.ts';
import { exitCodeOf, failureText } from '../../src/cli/failure.ts';
import { routesText } from '../../src/cli/routes-command.ts';
import { messageText } from '../../src/cli/server-message.ts';
import { textTable } from '../../src/cli/text-table.ts';
import { HowdahError } from '../../src/errors.ts';

const lines = (...text: string[]): string => `${text.join('\n')}\n`;

describe('a table', () => {
  test('has centred names, numbers at the right, and nothing for null', () => {
    assert.equal(
      textTable(
        [{ name: 'n', right: true }, { name: 'text' }],
        [
          ['1', 'a long value'],
          ['234', null],
        ],
      ),
      lines('  n  |     text', '-----+--------------', '   1 | a long value', ' 234 |').replace(
        'text',
        'text     ',
      ),
    );
  });

  test('shows values of several lines, and names wider than values', () => {
    assert.equal(
      textTable([{ name: 'wide' }, { name: 'b' }], [['a\nbc', 'x']]),
      lines(' wide | b ', '------+---', ' a   +| x', ' bc   |'),
    );
  });

  test('counts columns, not UTF-16 units', () => {
    assert.equal(
      textTable(
        [{ name: 'a' }, { name: 'b' }],
        [
          ['日本', 'x'],
          ['é', 'y'],
          ['e\u0301', 'z'],
          ['👍', 'w'],
        ],
      ),
      lines('  a   | b ', '------+---', ' 日本 | x', ' é    | y', ' e\u0301    | z', ' 👍   | w'),
    );
  });

  test('shows control characters instead of sending them to the terminal', () => {
    assert.equal(
      textTable([{ name: 'a\u001b' }], [['\u001b[31m\r\u009b\u0000']]),
      lines('       a\\x1B        ', '--------------------', ' \\x1B[31m\\r\\x9B\\x00'),
    );
  });

  test('without columns or rows is still one', () => {
    assert.equal(textTable([], [[], []]), '--\n');
    assert.equal(textTable([{ name: 'a' }], []), lines(' a ', '---'));
  });

  test('of many rows can be laid out', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [String(i)]);
    assert.ok(textTable([{ name: 'n' }], rows).endsWith(' 199999\n'));
  });
});

describe('an error of PostgreSQL', () => {
  const place = { statement: 'select 1,\n  naïve😀 + x\nfrom t', source: 'a.sql', line: 10 };

  test('names file and line, and points at the place in characters', () => {
    assert.equal(
      messageText(
        { severity: 'ERROR', message: 'no x', position: '22', detail: 'd', hint: 'h', where: 'w' },
        place,
      ),
      lines(
        'a.sql:11: ERROR:  no x',
        'LINE 2:   naïve😀 + x',
        `${' '.repeat('LINE 2:   naïve😀 + '.length)}^`,
        'DETAIL:  d',
        'HINT:  h',
        'CONTEXT:  w',
      ),
    );
  });

  test('without a position names the line of the statement', () => {
    assert.equal(messageText({ severity: 'ERROR', message: 'm' }, place), 'a.sql:10: ERROR:  m\n');
    assert.equal(messageText({ severity: 'ERROR', message: 'm' }, { ...place, source: null }), 'ERROR:  m\n');
    for (const position of ['0', '-1', '1000', 'x']) {
      assert.equal(
        messageText({ severity: 'ERROR', message: 'm', position }, place),
        'a.sql:10: ERROR:  m\n',
      );
    }
  });

  test('at either end of the statement points there', () => {
    const at = (position: number): string | undefined =>
      messageText(
        { message: 'm', position: String(position) },
        { statement: 'ab', source: null, line: 1 },
      ).split('\n')[2];
    assert.equal(at(1), '        ^');
    assert.equal(at(3), '          ^');
  });

  test('shows a part of a long line', () => {
    const statement = `${'a'.repeat(100)}X${'b'.repeat(100)}`;
    const [, excerpt = '', caret = ''] = messageText(
      { message: 'm', position: '101' },
      { ...place, statement },
    ).split('\n');
    assert.ok(excerpt.length <= 80);
    assert.equal(excerpt[caret.indexOf('^')], 'X');
  });

  test('a notice shows no context', () => {
    assert.equal(messageText({ severity: 'NOTICE', message: 'm', where: 'w' }, null), 'NOTICE:  m\n');
  });
});

describe('the list of routes', () => {
  test('shows what a pattern leaves open, and the problems below', () => {
    const text = routesText({
      routes: [
        {
          match: {
            method: 'GET',
            hostname: 'a.test',
            port: 81,
            pathname: '/x',
            search: 'y=1',
            protocol: 'https',
          },
          priority: 3,
          handler: 'h(omni_httpd.http_request)',
          kind: 'handler',
          router: 'r',
        },
        { match: {}, priority: -1, handler: 'd()', kind: 'middleware', router: 's' },
      ],
      problems: [{ router: 'r', match: null, handler: 'k()', problem: 'returns a set' }],
    });
    assert.equal(
      text,
      lines(
        ' method |       host        |  path  | priority |          handler           |    kind    | router ',
        '--------+-------------------+--------+----------+----------------------------+------------+--------',
        ' GET    | https://a.test:81 | /x?y=1 |        3 | h(omni_httpd.http_request) | handler    | r',
        ' *      | *                 | *      |       -1 | d()                        | middleware | s',
        '(2 rows)',
        '',
        'Left out:',
        ' router | match | handler |    problem    ',
        '--------+-------+---------+---------------',
        ' r      |       | k()     | returns a set',
        '(1 row)',
      ),
    );
  });
});

describe('the banner', () => {
  const server = {
    database: 'embedded PostgreSQL 18 in .howdah',
    adminUrl: null,
    gatewayUrl: 'postgres://127.0.0.1:5433',
    listeners: [{ url: 'http://127.0.0.1:8080' }, { url: 'http://[::1]:81' }],
    problems: [],
    workers: 1,
  };

  test('says what runs, where it listens, and how to send SQL', () => {
    assert.equal(
      banner({ version: '0.1.0', server, dataDirectory: '.howdah' }),
      lines(
        'howdah 0.1.0 · embedded PostgreSQL 18 in .howdah · 1 worker',
        'http://127.0.0.1:8080            SQL: npx howdah sql   (psql postgres://127.0.0.1:5433)',
        'http://[::1]:81',
      ),
    );
  });

  test('gives commands that reach this very server', () => {
    const hint = (dataDirectory: string | null): string | undefined =>
      /SQL: (.*)/.exec(banner({ version: '0', server, dataDirectory }))?.[1];
    assert.equal(hint('my data'), "npx howdah sql --data 'my data'   (psql postgres://127.0.0.1:5433)");
    assert.equal(hint(null), 'npx howdah sql --url postgres://127.0.0.1:5433');
  });

  test('says where the admin listener is', () => {
    const text = banner({
      version: '0',
      server: { ...server, adminUrl: 'http://127.0.0.1:9' },
      dataDirectory: 'd',
    });
    assert.match(text, /\nhttp:\/\/127\.0\.0\.1:9 +for \/livez, \/readyz, \/metrics\n$/);
  });

  test('says what is not served, and why', () => {
    const problems = ['127.0.0.1:8443 is not served: no certificate'];
    const text = banner({ version: '0', server: { ...server, problems }, dataDirectory: 'd' });
    assert.match(text, /\n127\.0\.0\.1:8443 is not served: no certificate\n$/);
  });

  test('can do without listeners and without a gateway', () => {
    assert.equal(
      banner({
        version: '0',
        server: { ...server, listeners: [], gatewayUrl: null, workers: 2 },
        dataDirectory: 'd',
      }),
      lines('howdah 0 · embedded PostgreSQL 18 in .howdah · 2 workers', 'no listener yet'),
    );
  });
});

describe('a failure', () => {
  test('ends with the exit code of its kind', () => {
    assert.equal(exitCodeOf(new HowdahError('HOWDAH_DATA_LOCKED')), EXIT_CODES.dataDirectory.code);
    assert.equal(exitCodeOf(new HowdahError('HOWDAH_DATA_UNUSABLE')), EXIT_CODES.dataDirectory.code);
    assert.equal(exitCodeOf(new HowdahError('HOWDAH_ADDRESS_UNUSABLE')), EXIT_CODES.address.code);
    assert.equal(exitCodeOf(new HowdahError('HOWDAH_NO_SERVER')), EXIT_CODES.noServer.code);
    assert.equal(exitCodeOf(new HowdahError('HOWDAH_SQL_FAILED')), EXIT_CODES.failed.code);
    assert.equal(exitCodeOf(Object.assign(new Error('x'), { syscall: 'listen' })), EXIT_CODES.address.code);
    assert.equal(exitCodeOf(new Error('x')), EXIT_CODES.failed.code);
    assert.equal(exitCodeOf('x'), EXIT_CODES.failed.code);
  });

  test('says what to do, and where it came from only if it has no name', () => {
    assert.equal(
      failureText(new HowdahError('HOWDAH_DATA_LOCKED', '.howdah')),
      lines(
        'howdah: another process uses this data directory: .howdah',
        'hint: stop the other process, or give another directory with --data',
      ),
    );
    assert.equal(
      failureText(Object.assign(new Error('ENOENT: x'), { syscall: 'open' })),
      'howdah: ENOENT: x\n',
    );
    const sql = {
      severity: 'ERROR',
      code: '53100',
      message: 'could not extend file',
      hint: 'Check free disk space.',
    };
    assert.equal(
      failureText(new SqlFailure(sql)),
      'howdah: PostgreSQL refuses: could not extend file (53100)\nhint: Check free disk space.\n',
    );
    assert.match(failureText(new TypeError('x')), /^howdah: TypeError: x\n {4}at /);
    assert.equal(failureText('x'), 'howdah: x\n');
  });
});
