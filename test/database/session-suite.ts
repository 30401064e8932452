// The behaviour of a Session, whatever link carries it: one body of cases, run over the embedded engine and over real servers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SqlParameter } from '../../src/database/call.ts';
import { batchSuite } from './batch-suite.ts';
import { groupSuite } from './group-suite.ts';
import { call, failure, row, statement, type SuiteSubject } from './session-subject.ts';

/** `subject` is called inside of the tests: it is opened before them. */
export function sessionSuite(
  name: string,
  subject: () => SuiteSubject,
  /** Whether a session is reset after calls that are said to change nothing, too: the embedded engine takes their word. */
  { resetsReads }: { readonly resetsReads: boolean },
): void {
  describe(`a session over ${name}`, () => {
    const run = (text: string, parameters?: readonly SqlParameter[], extra?: Parameters<typeof call>[3]) =>
      call(subject().dispatcher, text, parameters, extra);

    it('answers with the first row, or says that there is none', async () => {
      assert.deepEqual(await run('select $1::int + 1, null', ['41']), row('42', null));
      assert.deepEqual(await run('select x from generate_series(1, 3) x'), row('1'));
      assert.deepEqual(await run('select 1 where false'), { kind: 'no-row' });
      assert.deepEqual(await run('do $$ begin end $$'), { kind: 'no-row' });
    });

    it('sends parameters in text and binary format, and takes binary columns', async () => {
      const binary = Buffer.from([0, 1, 255, 39]);
      assert.deepEqual(
        await run("select encode($1::bytea, 'hex'), $2::text, $3::text is null", [binary, "ö'\\", null]),
        row('0001ff27', "ö'\\", 't'),
      );
      const columns = await new Promise<readonly (Buffer | null)[]>((resolve) => {
        subject().dispatcher.dispatch({
          statement: statement('select $1::bytea, 258::int', 1),
          parameters: [binary],
          epoch: null,
          resetAfter: false,
          complete(result) {
            assert.equal(result.kind, 'row');
            resolve(
              result.kind === 'row' ? result.columns.map((column) => column && Buffer.from(column)) : [],
            );
          },
        });
      });
      assert.deepEqual(columns, [binary, Buffer.from([0, 0, 1, 2])]);
    });

    it('completes pipelined calls in the order in which they were sent', async () => {
      const order: number[] = [];
      const answers = Array.from({ length: 500 }, async (_, index) => {
        const answer = await run('select $1::int', [String(index)], { resetAfter: index % 7 === 0 });
        order.push(index);
        return answer;
      });
      const results = await Promise.all(answers);
      for (const [index, result] of results.entries()) assert.deepEqual(result, row(String(index)));
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    });

    it('keeps an error to the call that made it', async () => {
      const results = await Promise.all([
        run('select 1'),
        run('select 1 / $1::int', ['0']),
        run('select 2'),
        run('select no_such_column'),
        run('select 3'),
        run('select $1::int', ['no number']),
        run('select 4'),
      ]);
      assert.deepEqual(
        results.map((result) => (result.kind === 'failed' ? result.error.code : result)),
        [row('1'), '22012', row('2'), '42703', row('3'), '22P02', row('4')],
      );
    });

    it('tells an error with all of its fields', async () => {
      await subject().exec(`create or replace function suite_raise() returns int language plpgsql as $$ begin
        raise exception 'no luck' using errcode = 'HW123', detail = 'the detail', hint = 'the hint', table = 't'; end $$`);
      const result = await run('select suite_raise()');
      assert.equal(result.kind, 'failed');
      if (result.kind !== 'failed') return;
      const { where, ...error } = result.error;
      assert.match(where ?? '', /suite_raise/);
      assert.deepEqual(error, {
        severity: 'ERROR',
        code: 'HW123',
        message: 'no luck',
        detail: 'the detail',
        hint: 'the hint',
        table: 't',
      });
    });

    it('gives each call a transaction of its own', async () => {
      const answers = await Promise.all([
        run('select pg_current_xact_id()::text'),
        run('select pg_current_xact_id()::text'),
      ]);
      const [one, other] = answers.map((answer) => (answer.kind === 'row' ? answer.columns[0] : null));
      assert.ok(one !== null && other !== null && one !== other);
    });

    it('fails a call whose commit fails, although it had a row (deferred constraint)', async () => {
      await subject().exec(`drop table if exists suite_child, suite_parent;
        create table suite_parent (id int primary key);
        create table suite_child (id int references suite_parent deferrable initially deferred)`);
      const results = await Promise.all([
        run('insert into suite_child values ($1::int) returning id', ['7']),
        run('select 1'),
      ]);
      assert.equal(results[0].kind === 'failed' && results[0].error.code, '23503');
      assert.deepEqual(results[1], row('1'));
      assert.deepEqual((await subject().query('select count(*) from suite_child')).rows, [['0']]);
    });

    it('passes values larger than any buffer on the way, both ways', async () => {
      const large = 'äx'.repeat(1_500_000);
      const [length, back, after] = await Promise.all([
        run('select octet_length($1)::text', [large]),
        run('select $1::text', [large]),
        run('select 1'),
      ]);
      assert.deepEqual(length, row('4500000'));
      assert.ok(back.kind === 'row' && back.columns[0] === large);
      assert.deepEqual(after, row('1'));
    });

    it('fails a call whose text would smuggle a message in, and sends nothing of it', async () => {
      const smuggling = 'select 1\0Q\0\0\0\x0dselect 2\0';
      const [failed, after] = await Promise.all([failure(run(smuggling)), run('select 3')]);
      assert.equal(failed, '22021');
      assert.deepEqual(after, row('3'));
      await assert.rejects(subject().query(smuggling), { name: 'SqlFailure' });
      await assert.rejects(subject().exec(smuggling), { name: 'SqlFailure' });
      assert.equal(await failure(run('select $1::text', ['a\0b'])), '22021');
      assert.deepEqual(await run('select 4'), row('4'));
    });

    describe('resets after a call', () => {
      const settings =
        "select current_user::text, session_user::text, current_setting('work_mem'), current_setting('search_path')";

      for (const how of ['committed', 'failed'] as const) {
        it(`its role, settings, locks, cursors and temporary tables, also where it ${how}`, async () => {
          await subject().exec(`
            do $$ begin create role suite_role; exception when duplicate_object then end $$;
            create or replace procedure suite_spoil(fails boolean) language plpgsql as $$ begin
              perform pg_advisory_lock(4711);
              create temp table suite_temporary (x int);
              execute 'declare suite_cursor cursor with hold for select 1';
              perform set_config('work_mem', '9MB', false), set_config('search_path', 'pg_catalog', false);
              set session authorization suite_role;
              commit;
              set role suite_role;
              if fails then raise exception 'fails'; end if; end $$`);
          const before = await run(settings);
          const [spoilt, after, locks] = await Promise.all([
            run('call suite_spoil($1::boolean)', [String(how === 'failed')], { resetAfter: true }),
            run(settings),
            run("select count(*)::text from pg_locks where locktype = 'advisory'"),
          ]);
          assert.equal(spoilt.kind, how === 'failed' ? 'failed' : 'no-row');
          assert.deepEqual(after, before);
          assert.deepEqual(locks, row('0'));
          assert.equal(await failure(run('select * from suite_temporary')), '42P01');
          assert.deepEqual(await run('select count(*)::text from pg_cursors where is_holdable'), row('0'));
        });
      }

      it('even where it deallocated all statements', async () => {
        await subject()
          .exec(`create or replace function suite_forget() returns void language plpgsql as $$ begin
          execute 'deallocate all'; perform set_config('work_mem', '9MB', false); end $$`);
        const before = await run(settings);
        for (let round = 0; round < 2; round += 1) {
          const [, after] = await Promise.all([
            run('select suite_forget()', [], { resetAfter: true }),
            run(settings),
            run('select 1', [], { resetAfter: true }),
          ]);
          assert.deepEqual(after, before);
        }
      });
    });

    batchSuite(subject, resetsReads);
    groupSuite(subject);

    it('prepares a statement again that was deallocated, and runs the call once', async () => {
      await subject().exec('drop table if exists suite_once; create table suite_once (x int)');
      const insert = 'insert into suite_once values (1) returning x';
      assert.deepEqual(await run(insert), row('1'));
      await subject().exec('deallocate all');
      const answers = await Promise.all([run(insert), run(insert), run('select 5')]);
      assert.deepEqual(answers, [row('1'), row('1'), row('5')]);
      assert.deepEqual((await subject().query('select count(*) from suite_once')).rows, [['3']]);
    });

    it('prepares a statement again whose table or function was made anew', async () => {
      const make = (type: string, value: string): Promise<unknown> =>
        subject()
          .exec(`drop table if exists suite_shape; create table suite_shape as select ${value}::${type} as x;
          drop function if exists suite_shaped(); create function suite_shaped() returns ${type} language sql
          as 'select x from suite_shape'`);
      await make('int', '1');
      assert.deepEqual(await run('select * from suite_shape'), row('1'));
      assert.deepEqual(await run('select suite_shaped()'), row('1'));
      await make('text', "'one'");
      assert.deepEqual(await run('select * from suite_shape'), row('one'));
      assert.deepEqual(await run('select suite_shaped()'), row('one'));
    });

    it('does not run a call twice that itself raises what a stale statement gives', async () => {
      await subject().exec(`drop sequence if exists suite_runs; create sequence suite_runs;
        create or replace function suite_misleads() returns int language plpgsql as $$ begin
          perform nextval('suite_runs'); raise exception 'cached plan must not change result type' using errcode = '0A000'; end $$`);
      assert.equal(await failure(run('select suite_misleads()')), '0A000');
      assert.equal(await failure(run('select suite_misleads()')), '0A000');
      assert.deepEqual((await subject().query('select last_value from suite_runs')).rows, [['2']]);
    });

    it('takes a statement up again that could not be prepared at first', async () => {
      await subject().exec('drop table if exists suite_late');
      assert.equal(await failure(run('select count(*) from suite_late')), '42P01');
      await subject().exec('create table suite_late (x int)');
      assert.deepEqual(await run('select count(*) from suite_late'), row('0'));
    });

    it('lets no statement of the cold path leave a transaction open', async () => {
      await subject().exec('drop table if exists suite_left; create table suite_left (x int)');
      await subject().exec('begin; insert into suite_left values (1)');
      assert.deepEqual(await run('select count(*) from suite_left'), row('0'));
    });

    it('returns all results of several statements, and an error as a rejection', async () => {
      const results = await subject().exec(
        "select 1 as a, 'x' as b; create table if not exists suite_t (x int); select 2 as c",
      );
      assert.deepEqual(
        results.map(({ fields, rows, tag }) => [fields.map(({ name }) => name), rows, tag]),
        [
          [['a', 'b'], [['1', 'x']], 'SELECT 1'],
          [[], [], 'CREATE TABLE'],
          [['c'], [['2']], 'SELECT 1'],
        ],
      );
      await assert.rejects(subject().exec('select 1; select 1 / 0'), {
        name: 'SqlFailure',
        message: 'division by zero',
      });
    });
  });
}
