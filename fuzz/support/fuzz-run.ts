// One run of a fuzzer: how long it takes, and its random numbers, from the command line (`--seconds 10`, `--seed N`).
import { parseArgs } from 'node:util';

const DEFAULT_SECONDS = 10;

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });

export const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
/** The same one makes the same run. */
export const seed = Number(values.seed ?? Date.now() % 2 ** 31);

/** A linear congruential generator (Numerical Recipes). */
let state = seed >>> 0;

export function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

export function pick<T>(items: readonly T[]): T {
  return items[random(items.length)] as T;
}
