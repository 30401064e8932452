// How SQL refuses what was routed with an epoch that has passed (sql/objects/epoch.sql), for sessions whose far end does not do so by
// itself. Only texts.
//
// Measured with 32 look-ups in flight (15.7 µs each on PostgreSQL 15, 26.3 on 18): the sum as a subquery added 11 and 14 µs, a
// PL/pgSQL function with it 14 and 17, howdah.epoch() 85 and 19, since a function in SQL is planned again in each statement.

import type { SqlError } from './call.ts';

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
 * An argument of CALL, which cannot have a condition: evaluating it fails where the epoch has passed, before the procedure is
 * called. There, a subquery may not stand.
 */
export function assertingEpoch(argument: string, parameter: string): string {
  return `case 1 / (howdah.epoch() = ${parameter})::int when 1 then ${argument} end`;
}

/** Of what has neither: to be run in an exchange before it. Fails where the epoch has passed, else says who the session is. */
export const EPOCH_ASSERTION = {
  name: 'epoch assertion',
  text: `select 1 / (${epochIs('$1')})::int, current_user`,
  parameterTypes: [EPOCH_TYPE],
} as const;

/** division_by_zero: that of an argument or an assertion, and not of a handler, has no context. */
export function saysEpochPassed({ code, where }: SqlError): boolean {
  return code === '22012' && where === undefined;
}
