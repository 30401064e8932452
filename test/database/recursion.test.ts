// What recurses too deep on the embedded engine: PostgreSQL says so, and the engine goes on.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { withFrames } from '../../src/database/embedded/measured-module.ts';
import { call, row, type Answer } from './session-subject.ts';
import { openTestEmbedded, type TestEmbedded } from './support/embedded.ts';

const TOO_DEEP = '54001';
const SYNTAX = '42601'; // what PostgreSQL's grammar says where its own stack ends
const BAD_PATTERN = '2201B'; // "regular expression is too complex"

const FUNCTIONS = `
  create function again(n int) returns int language plpgsql as $$ begin return again(n + 1); end $$;
  create function again_in_sql(n int) returns int language sql as $$ select again_in_sql(n + 1) $$;
  create function again_caught(n int) returns int language plpgsql as
    $$ begin return again_caught(n + 1); exception when division_by_zero then return 0; end $$;
  create function again_executed(n int) returns int language plpgsql as
    $$ declare found int; begin execute 'select again_executed($1)' into found using n + 1; return found; end $$;
  create function there(n int) returns int language plpgsql as $$ begin return (select back(n + 1)); end $$;
  create function back(n int) returns int language plpgsql as $$ begin return there(n + 1); end $$;
  create table grows (n int);
  create function grow() returns trigger language plpgsql as
    $$ begin insert into grows values (new.n + 1); return new; end $$;
  create trigger grow before insert on grows for each row execute function grow()`;

const chain = (operand: string, operator: string, count: number): string =>
  `select ${Array(count).fill(operand).join(operator)}`;

/** Statements, and the code of the error that each ends with. */
const CASES: readonly (readonly [what: string, statement: string, code: string])[] = [
  ['a function in PL/pgSQL', 'select again(1)', TOO_DEEP],
  ['a function in SQL', 'select again_in_sql(1)', TOO_DEEP],
  ['a function with a block of exceptions', 'select again_caught(1)', TOO_DEEP],
  ['a statement that is executed', 'select again_executed(1)', TOO_DEEP],
  ['two functions by turns', 'select there(1)', TOO_DEEP],
  ['a trigger', 'insert into grows values (1)', TOO_DEEP],
  ['arrays in json', `select repeat('[', 600000)::json`, TOO_DEEP],
  ['objects in json', `select repeat('{"a":', 600000)::json`, TOO_DEEP],
  ['arrays in jsonb', `select repeat('[', 600000)::jsonb`, TOO_DEEP],
  ['objects in jsonb', `select repeat('{"a":[', 600000)::jsonb`, TOO_DEEP],
  ['jsonb that is whole', `select (repeat('[', 50000) || repeat(']', 50000))::jsonb`, TOO_DEEP],
  ['what may be JSON', `select repeat('[', 600000) is json`, TOO_DEEP],
  ['arrays of SQL', `select ${'array['.repeat(20_000)}1${']'.repeat(20_000)}`, SYNTAX],
  ['parentheses', `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, SYNTAX],
  ['a long sum', chain('1', ' + ', 100_000), TOO_DEEP],
  ['a long text', chain("'a'", ' || ', 30_000), TOO_DEEP],
  ['casts', `select 1${'::int::text'.repeat(20_000)}`, TOO_DEEP],
  ['a long union', chain('1', ' union all select ', 20_000), TOO_DEEP],
  ['a search for a text', `select (repeat('(', 200000) || 'a' || repeat(')', 200000))::tsquery`, TOO_DEEP],
  ['a regular expression', `select 'a' ~ (repeat('(', 500000) || 'a' || repeat(')', 500000))`, BAD_PATTERN],
  ['repetitions in one', `select 'a' ~ (repeat('(', 5000) || 'a' || repeat(')*', 5000))`, BAD_PATTERN],
];

/** Calls the statement by a name of its own: its text is longer than a name may be. */
const run = ({ database }: TestEmbedded, text: string): Promise<Answer> => {
  const name = createHash('sha256').update(text).digest('hex');
  return call(database, text, [], { statement: { name, text, parameterTypes: [], resultFormat: 0 } });
};

describe('too deep a recursion on the embedded engine', () => {
  let embedded: TestEmbedded;
  before(async () => {
    embedded = await openTestEmbedded();
    await embedded.database.exec(FUNCTIONS);
  });
  after(() => embedded.database.close());

  for (const [what, statement, code] of CASES) {
    it(`is an error of PostgreSQL: ${what}`, async () => {
      const answer = await run(embedded, statement);
      assert.equal(answer.kind === 'failed' && answer.error.code, code);
    });
  }

  it('is none where PostgreSQL knows long lists without recursion', async () => {
    for (const operator of [' and ', ' or ']) {
      assert.deepEqual(await run(embedded, chain('(random() < 2)', operator, 20_000)), row('t'), operator);
    }
    const deep = `select jsonb_typeof((repeat('[', 5000) || repeat(']', 5000))::jsonb)`;
    assert.deepEqual(await run(embedded, deep), row('array'));
  });

  it('can be caught, and leaves the engine as it was', async () => {
    await embedded.database.exec(`
      create function caught() returns text language plpgsql as $$
      begin
        perform repeat('[', 600000)::jsonb;
      exception
        when statement_too_complex then return 'caught';
      end $$`);
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(await run(embedded, 'select caught()'), {
        kind: 'row',
        columns: ['caught'],
      });
    }
    assert.ok(embedded.observations.every(({ kind }) => kind !== 'session-lost'));
  });
});

it('WebAssembly that is not of PostgreSQL is refused', () => {
  const [header, noExports] = [Buffer.from('\0asm\x01\0\0\0', 'latin1'), Buffer.from([7, 1, 0])];
  assert.throws(() => withFrames(Buffer.concat([header, noExports])), /no check_stack_depth/);
  assert.throws(() => withFrames(header), /no section 7/);
  assert.throws(() => withFrames(Buffer.concat([header, noExports.subarray(0, 2)])), /ends in the middle/);
});
