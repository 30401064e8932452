// How SQL refuses what was routed with an epoch that has passed (sql/objects/epoch.sql), for sessions whose far end does not do so by
// itself. Only texts.
//
// Measured with 32 look-ups in flight (15.7 µs each on PostgreSQL 15, 26.3 on 18): the sum as a subquery added 11 and 14 µs, a
// PL/pgSQL function with it 14 and 17, howdah.epoch() 85 and 19, since a function in SQL is planned again in each statement.

/**
 * A condition for the WHERE clause of a statement without a table: PostgreSQL evaluates it once, before the select list, and
 * not that where it is false. `parameter` is a bigint.
 */
export function epochIs(parameter: string): string {
  return `coalesce((select sum(n) from howdah.epoch_slot), 0)::bigint = ${parameter}`;
}

/** OID of bigint, the type of the parameter. */
export const EPOCH_TYPE = 20;

/**
 * A statement to be run in front of one that cannot have a condition (CALL), in the same exchange: its error keeps what follows from
 * running. Its only error of its own making has the SQLSTATE below.
 */
export const EPOCH_ASSERTION = {
  name: 'epoch assertion',
  text: `select 1 / (${epochIs('$1')})::int`,
  parameterTypes: [EPOCH_TYPE],
} as const;

/** division_by_zero. */
export const EPOCH_PASSED = '22012';
