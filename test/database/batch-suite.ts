// Calls that change nothing, many of which a Session may send as one (src/database/turn-sender.ts): one body of cases, a part of
// session-suite.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SqlParameter } from '../../src/database/call.ts';
import { call, row, statement, type SuiteSubject } from './session-subject.ts';

export function batchSuite(subject: () => SuiteSubject, resetsReads: boolean): void {
  const run = (text: string, parameters?: readonly SqlParameter[], extra?: Parameters<typeof call>[3]) =>
    call(subject().dispatcher, text, parameters, extra);

  describe('of calls that change nothing, many at a time,', () => {
    const read = (text: string, parameters: readonly SqlParameter[] = []) =>
      run(text, parameters, { interruptible: true });

    it('answers each, in the order in which they were sent', async () => {
      const order: number[] = [];
      const results = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const result = await (i % 50 === 7
            ? run('select $1::int', [String(i)], { resetAfter: true })
            : read(i % 3 === 0 ? 'select $1::int where false' : 'select $1::int', [String(i)]));
          order.push(i);
          return result;
        }),
      );
      for (const [i, result] of results.entries()) {
        const none = i % 50 !== 7 && i % 3 === 0;
        assert.deepEqual(result, none ? { kind: 'no-row' } : row(String(i)));
      }
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    });

    it('keeps rows that arrive in several pieces', async () => {
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, i) => read("select repeat($1, 30000) || '.'", [String(i % 10)])),
      );
      for (const [i, result] of results.entries()) {
        assert.deepEqual(result, row(`${String(i % 10).repeat(30_000)}.`));
      }
    });

    it('keeps an error to the call that made it, also where it comes from the wire', async () => {
      for (let round = 0; round < 3; round += 1) {
        const results = await Promise.all([
          read('select 1'),
          read('select 10 / $1::int', ['0']),
          read('select 2'),
          read('select no_such_column'),
          read('select $1::text', ['a\0b']),
          read('select 3'),
        ]);
        assert.deepEqual(
          results.map((result) => (result.kind === 'failed' ? result.error.code : result)),
          [row('1'), '22012', row('2'), '42703', '22021', row('3')],
        );
      }
    });

    it('runs each once where one fails, as if the others had not been there', async () => {
      await subject().exec(`drop table if exists suite_reads; create table suite_reads (x int);
      create or replace function suite_counts(n int) returns int language plpgsql as $$ begin
        insert into suite_reads values (n); return n; end $$`);
      const results = await Promise.all([
        read('select suite_counts(1)'),
        read('select 1 / $1::int', ['0']),
        read('select suite_counts(2)'),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ['row', 'failed', 'row'],
      );
      const { rows } = await subject().query('select x from suite_reads order by x');
      assert.deepEqual(rows, [['1'], ['2']]);
    });

    it('lets nothing that one sets be seen by the next', async () => {
      await subject().exec(`
      do $$ begin create role suite_role; exception when duplicate_object then end $$;
      create or replace function suite_sets(local boolean) returns text language plpgsql as $$ begin
        perform set_config('suite.user', 'me', local), set_config('search_path', 'pg_catalog', local);
        if not local then perform pg_advisory_lock_shared(4712); end if;
        perform set_config('role', 'suite_role', local);
        return 'set'; end $$;
      create or replace function suite_sees() returns text language sql stable
        return concat_ws('|', current_user, current_setting('search_path'), nullif(current_setting('suite.user', true), ''))`);
      const clean = await read('select suite_sees()');
      for (const local of resetsReads ? ['true', 'false'] : ['true']) {
        const results = await Promise.all([
          read('select public.suite_sees()'),
          read('select public.suite_sets($1::boolean)', [local]),
          read('select public.suite_sees()'),
          read('select public.suite_sees()'),
        ]);
        assert.deepEqual(results, [clean, row('set'), clean, clean]);
      }
      assert.deepEqual(
        await run("select count(*)::text from pg_locks where locktype = 'advisory'"),
        row('0'),
      );
    });

    it('lets nobody else be who one makes of the session, whether that is seen or reset', async () => {
      await subject().exec(`
      do $$ begin create role suite_role; exception when duplicate_object then end $$;
      create or replace function suite_becomes(setting text) returns text language plpgsql as $$ begin
        perform set_config(setting, 'suite_role', false); return current_user; end $$`);
      if (resetsReads)
        await subject().exec(
          'create schema if not exists howdah; create table if not exists howdah.epoch_slot (n bigint)',
        );
      // As routes have it, whose calls know the epoch of their catalog.
      const watched = (text: string, parameters: readonly SqlParameter[] = []) => {
        const seeing = `${text}, current_user`;
        return run(text, parameters, {
          interruptible: true,
          epoch: '0',
          statement: {
            ...statement(text),
            watched: { name: `suite ${seeing}`, text: seeing, parameterTypes: [] },
          },
        });
      };
      const who = 'select current_user, session_user';
      const clean = await read(who);
      for (const setting of ['role', 'session_authorization']) {
        for (const each of resetsReads ? [watched, read] : [read]) {
          for (let round = 0; round < 2; round += 1) {
            const results = await Promise.all([
              each(who),
              each('select suite_becomes($1)', [setting]),
              each(who),
              read(who),
              each('select suite_becomes($1)', [setting]),
            ]);
            assert.deepEqual(results, [clean, row('suite_role'), clean, clean, row('suite_role')]);
            assert.deepEqual(await run(who), clean);
          }
        }
      }
    });

    it('goes on where a call before them deallocated all statements', async () => {
      await subject()
        .exec(`create or replace function suite_forget_all() returns text language plpgsql as $$ begin
      execute 'deallocate all'; perform set_config('work_mem', '7MB', false); return ''; end $$`);
      const before = await read("select current_setting('work_mem')");
      for (let round = 0; round < 3; round += 1) {
        const results = await Promise.all([
          read('select 1'),
          run('select suite_forget_all()', [], { resetAfter: true }),
          read("select current_setting('work_mem')"),
          read(`select current_setting('work_mem'), ${round}`),
          run('select suite_forget_all()', [], { resetAfter: true }),
          run(`select current_setting('work_mem') || ${round}`),
        ]);
        const [memory] = before.kind === 'row' ? before.columns : [];
        assert.deepEqual(results, [
          row('1'),
          row(''),
          before,
          row(memory ?? '', String(round)),
          row(''),
          row(`${memory}${round}`),
        ]);
      }
    });
  });
}
