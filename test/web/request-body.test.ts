// How a body is gathered: the same bytes however they come, whatever length was announced.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BodyCollector } from '../../src/web/request-body.ts';

interface Collected {
  readonly bodies: readonly string[];
  readonly refusals: readonly string[];
}

/** Sends the pieces, which are overwritten as soon as they have been received, and the end. */
function collect(pieces: readonly string[], limitBytes: number, announced: number | null): Collected {
  const bodies: string[] = [];
  const refusals: string[] = [];
  const collector = new BodyCollector(
    limitBytes,
    announced,
    (body) => bodies.push(body.toString('latin1')),
    (reason) => refusals.push(reason),
  );
  for (const piece of pieces) {
    const view = Buffer.from(piece, 'latin1');
    collector.receive(view);
    view.fill(0);
  }
  collector.receiveEnd();
  return { bodies, refusals };
}

describe('a body is gathered', () => {
  it('the same for every announced length, right, too small (it was decoded on the way) or too large', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 20 });
    const announced = fc.option(fc.nat({ max: 100 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), announced, (pieces, length) => {
        assert.deepEqual(collect(pieces, 1000, length), { bodies: [pieces.join('')], refusals: [] });
      }),
    );
  });

  it('up to its limit, and refused once where it is larger by a byte', () => {
    for (const announced of [null, 6, 7]) {
      assert.deepEqual(collect(['abc', 'def'], 6, announced), { bodies: ['abcdef'], refusals: [] });
      assert.deepEqual(collect(['abc', 'def', 'g', 'h'], 6, announced), {
        bodies: [],
        refusals: ['too-large'],
      });
    }
  });

  it('without trust in an announcement that is larger than what is gathered in place', () => {
    const most = 1_048_576;
    for (const announced of [most, most + 1]) {
      assert.deepEqual(collect(['abc', 'def'], 2 * most, announced).bodies, ['abcdef']);
    }
  });

  it('and forgotten where the client leaves before its end', () => {
    const refusals: string[] = [];
    const collector = new BodyCollector(
      10,
      6,
      () => assert.fail('it is not complete'),
      (reason) => refusals.push(reason),
    );
    collector.receive(Buffer.from('abc'));
    collector.abandon();
    collector.abandon();
    collector.receiveEnd();
    assert.deepEqual(refusals, ['client-left']);
  });
});
