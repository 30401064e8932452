// Calls of one statement that leave nothing behind, which a Session may run as rows of one execution (src/database/batch-writer.ts):
// one body of cases, a part of session-suite.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupedStatement, SqlParameter } from '../../src/database/call.ts';
import { call, row, statement, type Answer, type SuiteSubject } from './session-subject.ts';

const TEXT_OID = 25;

/** As routes have it: the statement for one call, and for many. */
export function grouped(expression: string, parameters: number): { text: string; grouped: GroupedStatement } {
  const places = Array.from({ length: parameters }, (_, i) => i + 1);
  const columns = places.map((place) => `unnest($${place}::text[]) as p${place}`);
  const text = `select ${expression.replaceAll(/\$(\d)/g, 'given.p$1')} from (select ${columns.join(', ')} offset 0) as given`;
  return {
    text: `select ${expression.replaceAll(/\$(\d)/g, '$$$1::text')}`,
    grouped: {
      name: `suite ${text}`,
      text,
      parameterTypes: places.map(() => 0),
      elementTypes: places.map(() => TEXT_OID),
    },
  };
}

export function groupSuite(subject: () => SuiteSubject): void {
  const ask = (
    made: ReturnType<typeof grouped>,
    parameters: readonly SqlParameter[],
    epoch: string | null = null,
  ): Promise<Answer> =>
    call(subject().dispatcher, made.text, parameters, {
      interruptible: true,
      epoch,
      statement: { ...statement(made.text), grouped: made.grouped },
    });
  const read = (text: string): Promise<Answer> =>
    call(subject().dispatcher, text, [], { interruptible: true });

  describe('of calls that leave nothing behind, many of one statement at a time,', () => {
    const TEXTS = ['', 'a', "it's", 'a\\b', '{a,"b"}', 'NULL', 'null', 'größe 🐘', ' ', 'x'.repeat(5000)];

    it('answers each with its own row, whatever its parameters are', async () => {
      const joined = grouped("concat_ws('|', $1, $2, ($1 is null)::text)", 2);
      for (let round = 0; round < 3; round += 1) {
        const pairs = TEXTS.flatMap((one) => [null, ...TEXTS].map((other): SqlParameter[] => [one, other]));
        pairs.push([null, 'b'], [null, null]);
        const results = await Promise.all(pairs.map((pair) => ask(joined, pair)));
        for (const [i, [one, other]] of pairs.entries()) {
          const parts = [one, other, String(one === null)].filter((part) => part !== null);
          assert.deepEqual(results[i], row(parts.join('|')));
        }
      }
    });

    it('keeps nulls, and rows that arrive in several pieces', async () => {
      const maybe = grouped("nullif($1, 'none')", 1);
      const long = grouped("repeat($1, 30000) || '.'", 1);
      const results = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          i % 3 === 0 ? ask(maybe, [i % 2 === 0 ? 'none' : 'some']) : ask(long, [String(i % 10)]),
        ),
      );
      for (const [i, result] of results.entries()) {
        const expected = i % 3 > 0 ? `${String(i % 10).repeat(30_000)}.` : i % 2 === 0 ? null : 'some';
        assert.deepEqual(result, row(expected));
      }
    });

    it('keeps an error to the call that made it, also where it comes from the wire', async () => {
      const divided = grouped('10 / $1::int', 1);
      for (const values of [
        ['1', '2', '0', '5'],
        ['1', 'a\0b', '2', 'x', '5'],
        ['0', '0'],
        ['1', '2', '5'],
      ]) {
        const results = await Promise.all([
          read('select 7'),
          ...values.map((value) => ask(divided, [value])),
          read('select 8'),
        ]);
        const codes: Readonly<Record<string, string>> = { '0': '22012', x: '22P02', 'a\0b': '22021' };
        assert.deepEqual(
          results.map((result) => (result.kind === 'failed' ? result.error.code : result)),
          [row('7'), ...values.map((value) => codes[value] ?? row(String(10 / Number(value)))), row('8')],
        );
      }
    });

    it('runs beside calls of other kinds', async () => {
      const one = grouped('upper($1)', 1);
      const other = grouped('lower($1)', 1);
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, i) => {
          if (i % 5 === 4) return read(`select 'read ${i}'`);
          if (i % 7 === 6)
            return call(subject().dispatcher, 'select $1::text', [`volatile ${i}`], { resetAfter: true });
          return ask(i % 2 === 0 ? one : other, [`Text ${i}`]);
        }),
      );
      for (const [i, result] of results.entries()) {
        if (i % 5 === 4) assert.deepEqual(result, row(`read ${i}`));
        else if (i % 7 === 6) assert.deepEqual(result, row(`volatile ${i}`));
        else assert.deepEqual(result, row(i % 2 === 0 ? `TEXT ${i}` : `text ${i}`));
      }
    });

    it('has them in few executions', async () => {
      const shared = grouped("$1 || ' shared'", 1);
      const name = shared.grouped.name.slice(0, 63).replaceAll("'", "''");
      let executions = 0;
      let rounds = 0;
      // Not before it is known that they are quick, on the embedded engine.
      for (; executions === 0; rounds += 1) {
        await Promise.all(TEXTS.map((text) => ask(shared, [text])));
        const { rows } = await subject().query(
          `select generic_plans + custom_plans from pg_prepared_statements where left(name, 63) = '${name}'`,
        );
        executions = Number(rows[0]?.[0] ?? 0);
      }
      assert.ok(executions < rounds * TEXTS.length, `${executions} executions`);
    });
  });
}
