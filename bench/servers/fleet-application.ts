// An application whose handler costs CPU, about a millisecond of it, and nothing else: GET /work.
import { application, route } from '../../src/index.ts';

const ROUNDS = 130_000;
/** Of a linear congruential generator (Numerical Recipes). */
const FACTOR = 1_664_525;
const SUMMAND = 1_013_904_223;

function work(): number {
  let state = 1;
  for (let i = 0; i < ROUNDS; i++) state = (Math.imul(state, FACTOR) + SUMMAND) | 0;
  return state;
}

export const WORKED = 'worked';

export default application({
  routes: [route('GET /work', () => new Response(work() === 0 ? 'unlucky' : WORKED))],
});
