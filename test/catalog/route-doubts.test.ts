// What is odd about a route in SQL though it can be called.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HandlerArgument, RouteRow } from '../../src/catalog/catalog-rows.ts';
import { argumentDoubt, unmatchable } from '../../src/catalog/route-doubts.ts';

const ROUTE: Omit<RouteRow, 'match' | 'arguments'> = {
  router: 'public.r',
  row: '()',
  priority: 0,
  handler: 'f()',
  name: 'f',
  kind: 'function',
  volatility: 'stable',
  returnsSet: false,
  securityDefiner: false,
  outcome: 'result',
  role: null,
  standIn: null,
};

const doubt = (pathname: string, ...given: HandlerArgument[]): string | null =>
  argumentDoubt({ ...ROUTE, match: { pathname }, arguments: given });

const listener = (parameter: string): HandlerArgument => ({
  mode: 'in',
  pass: 'listener',
  type: 'integer',
  parameter,
});
const unknown = (parameter: string): HandlerArgument => ({
  mode: 'in',
  pass: 'null',
  type: 'text',
  parameter,
});

test('a path that begins with no / matches nothing, unless something else may be at its beginning', () => {
  assert.equal(unmatchable({ pathname: 'notes' }), 'no path is matched by "notes": paths begin with /');
  for (const pathname of ['x/:id', '.well-known/*', '%20'])
    assert.notEqual(unmatchable({ pathname }), null, pathname);
  for (const pathname of ['/x', '*', ':any', '{/x}?', '(/x|/y)', ''])
    assert.equal(unmatchable({ pathname }), null, pathname);
  assert.equal(unmatchable({ hostname: 'a.example' }), null);
});

describe('a parameter that is named like no group of the pattern', () => {
  test('is doubted where a group is left over: it gets the number of the listener, or null', () => {
    assert.equal(
      doubt('/notes/:note_id', listener('id')),
      'its parameter id integer gets the number of the listener: the groups of its pattern are note_id',
    );
    assert.equal(
      doubt('/:kind/:name', unknown('slug'), unknown('kind')),
      'its parameter slug text gets null: the groups of its pattern are kind, name',
    );
  });

  test('is as it should be where all groups are taken or there are none, where it is said to be the listener, and without a name', () => {
    assert.equal(doubt('/notes/:id', listener('id'), listener('server')), null);
    assert.equal(doubt('/notes', listener('id')), null);
    assert.equal(doubt('/files/*', listener('id')), null);
    assert.equal(doubt('/notes/:id', listener('listener_id')), null);
    assert.equal(doubt('/notes/:id', listener('')), null);
    assert.equal(
      doubt('/notes/:id', { mode: 'in', pass: 'request', type: 'omni_httpd.http_request', parameter: 'r' }),
      null,
    );
  });
});
