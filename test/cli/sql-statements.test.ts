// Splitting SQL at the semicolons that end statements.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as assertAll, constantFrom, property } from 'fast-check';
import { splitStatements } from '../../src/cli/sql-statements.ts';

/** Texts of the complete statements, then `…rest`. */
function split(sql: string): string[] {
  const { items, rest } = splitStatements(sql);
  const texts = items.map((item) => ('meta' in item ? `meta ${item.meta}` : item.text));
  return rest === null ? texts : [...texts, `…${rest.text}`];
}

describe('a semicolon ends a statement, but not', () => {
  const whole: readonly [name: string, statement: string][] = [
    ['in a string', "select 'a;b'"],
    ['in a string with a quote', "select 'it''s;'"],
    ['after a backslash in a plain string', "select '\\', ';'"],
    ['in an escape string', "select E'\\';', e'\\\\;'"],
    ['in a quoted name', 'select 1 as "a;""b;"'],
    ['in a dollar-quoted text', 'select $$a;b$$'],
    ['in one with a tag', 'select $fn$ a; $$ b; $$ $fnn$; $fn$'],
    ['in a line comment', 'select 1 -- a;b\n + 1'],
    ['in a block comment', 'select /* ; /* ; */ ; */ 1'],
    ['in parentheses', 'create rule r as on insert to t do also (select 1; select 2)'],
    [
      'in the body of a SQL function',
      'create function f() returns int begin atomic select case when true then 1 end; select 2; end',
    ],
    [
      'in that of a procedure that is replaced',
      'CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END',
    ],
    ['in a DO block', 'do $$ begin perform 1; end; $$'],
  ];
  for (const [name, statement] of whole) {
    test(name, () => {
      assert.deepEqual(split(`${statement};`), [statement]);
      assert.deepEqual(split(`${statement};\nselect 2;`), [statement, 'select 2']);
    });
  }

  test('a parameter is no dollar quote, and a name may contain a dollar', () => {
    assert.deepEqual(split('select $1; select a$b$c; select 1'), ['select $1', 'select a$b$c', '…select 1']);
  });

  test('begin and end outside of a function body are statements of their own', () => {
    assert.deepEqual(split('begin; select 1; end;'), ['begin', 'select 1', 'end']);
    assert.deepEqual(split('create table begin (a int); end;'), ['create table begin (a int)', 'end']);
  });

  test('a closing parenthesis too many does not swallow the rest', () => {
    assert.deepEqual(split('select 1); select 2;'), ['select 1)', 'select 2']);
  });
});

test('empty statements and comments by themselves are nothing to run', () => {
  assert.deepEqual(split(' ;; -- a\n ; /* b */'), []);
  assert.deepEqual(split(''), []);
});

test('what is not ended is the rest, from its first token on', () => {
  assert.deepEqual(split('select 1;\n -- c\n select 2 '), ['select 1', '…select 2 ']);
  assert.deepEqual(split("select 'a;"), ["…select 'a;"]);
  assert.deepEqual(split('select $$a;'), ['…select $$a;']);
  assert.deepEqual(split('select /* a;'), ['…select /* a;']);
  assert.deepEqual(split('; /* a;\n'), ['…/* a;\n']);
  assert.deepEqual(split('select "a;'), ['…select "a;']);
  assert.deepEqual(split("select e'\\';"), ["…select e'\\';"]);
});

test('a line that begins with a backslash is a command of the shell', () => {
  assert.deepEqual(split('\\q\nselect 1;\\? x\n'), ['meta \\q', 'select 1', 'meta \\? x']);
  assert.deepEqual(split('select 1 \\q;'), ['select 1 \\q']);
});

test('each statement knows the line of its first token', () => {
  const { items, rest } = splitStatements('-- c\nselect 1;\n\n/* a\nb */ select\n2;\\q\nselect 3');
  assert.deepEqual(
    items.map(({ line }) => line),
    [2, 5, 6],
  );
  assert.equal(rest?.line, 7);
});

const piece = constantFrom(
  ...'\'|"|$$|$a$|;|--|\n|/*|*/|(|)| |begin|end|create|function|\\|e|E|1|$1|x|é|😀'.split('|'),
);

test('no text is lost, whatever it is', () => {
  assertAll(
    property(array(piece, { maxLength: 40 }), (pieces) => {
      const sql = pieces.join('');
      const { items, rest } = splitStatements(sql);
      const lineOf = (offset: number): number => sql.slice(0, offset).split('\n').length;
      let at = 0;
      for (const item of rest === null ? items : [...items, rest]) {
        const text = 'meta' in item ? item.meta : item.text;
        // The same text may stand in a comment before.
        let found = sql.indexOf(text, at);
        while (found >= 0 && lineOf(found) < item.line) found = sql.indexOf(text, found + 1);
        assert.ok(found >= at);
        assert.equal(item.line, lineOf(found));
        at = found + text.length;
      }
    }),
  );
});

test('typed line by line, a text splits as it does at once', () => {
  assertAll(
    property(array(piece, { maxLength: 40 }), (pieces) => {
      const sql = pieces.join('').replaceAll('\\', '');
      const typed: string[] = [];
      let open = '';
      for (const line of sql.split('\n')) {
        const { items, rest } = splitStatements(`${open}${line}\n`);
        typed.push(...items.map((item) => ('meta' in item ? item.meta : item.text)));
        open = rest?.text ?? '';
      }
      assert.deepEqual(open === '' ? typed : [...typed, `…${open}`], split(`${sql}\n`));
    }),
  );
});
