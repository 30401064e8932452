// Profiles summed by room, on made-up ones: nothing is measured here.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lastBusyWindow, roomOf, sumProfiles } from '../../bench/profile/cpu-profile.ts';
import type { CpuProfile } from '../../bench/profile/cpu-profile.ts';
import { renderProfile } from '../../bench/profile/profile-table.ts';

const NODES: readonly (readonly [functionName: string, url: string])[] = [
  ['(idle)', ''],
  ['writeBuffer', ''],
  ['receive', 'file:///x/src/protocol/http1/receiver.ts'],
  ['wasm-function[7]', 'wasm://wasm/0123'],
];

/** Each entry: index of the node, and for how long it ran. */
function profile(startTime: number, ran: readonly (readonly [node: number, us: number])[]): CpuProfile {
  return {
    nodes: NODES.map(([functionName, url], id) => ({ id, callFrame: { functionName, url, lineNumber: 41 } })),
    startTime,
    samples: ran.map(([node]) => node),
    // The time of a sample is in the delta of the one that follows.
    timeDeltas: [0, ...ran.map(([, us]) => us)].slice(0, ran.length),
  };
}

describe('a profile', () => {
  it('functions are put into the room of their file, or into what Node.js and V8 do for it', () => {
    const rooms: readonly (readonly [string, string, string])[] = [
      ['receive', 'file:///x/src/protocol/http1/receiver.ts', 'src/protocol/http1'],
      ['open', 'file:///x/src/server/stream.ts', 'src/server'],
      ['send', 'file:///x/src/database/server/link.ts', 'src/database'],
      ['onStreamRead', 'node:internal/stream_base_commons', "Node.js's sockets, streams and timers"],
      ['concat', 'node:buffer', 'the rest of Node.js'],
      ['wasm-function[7]', 'wasm://wasm/0123', 'PostgreSQL in WebAssembly'],
      ['x', 'file:///x/node_modules/@electric-sql/pglite/dist/index.js', '@electric-sql/pglite'],
      ['answer', 'file:///x/bench/servers/howdah-plain.ts', 'the handler of the benchmark'],
      ['(garbage collector)', '', 'garbage collector'],
    ];
    for (const [name, url, room] of rooms) assert.equal(roomOf(name, url), room);
  });

  it('is summed by the time until the next sample, without idle time, and only in its window', () => {
    const one = profile(1000, [
      [1, 500],
      [0, 10_000],
      [2, 300],
      [1, 200],
      [0, 1],
    ]);
    const sum = sumProfiles([one, one], { fromUs: 1000, toUs: 1_000_000 });
    assert.equal(sum.busyUs, 2000);
    assert.deepEqual(
      sum.rooms.map(({ us }) => us),
      [1400, 600],
    );
    assert.equal(sum.functions[1]?.name, 'receive receiver.ts:42');
    assert.equal(sumProfiles([one], { fromUs: 1001, toUs: 1_000_000 }).busyUs, 500);
  });

  it('the window ends with the last tenth of a second that was busy', () => {
    const busy = profile(0, [
      [2, 400_000],
      [0, 50_000],
      [1, 60_000],
      [0, 900_000],
      [2, 1000],
      [0, 1],
    ]);
    // One sample stands for its whole time: it is counted where it begins.
    assert.deepEqual(lastBusyWindow([busy], 200_000), { fromUs: 200_000, toUs: 400_000 });
    assert.equal(lastBusyWindow([profile(0, [[0, 900_000]])], 1), null);
  });

  it('the table has microseconds per request, shares, and what is small put together', () => {
    const us = (name: string, value: number) => ({ name, us: value });
    const sum = { busyUs: 1000, rooms: [us('a', 990), us('b', 4), us('c', 6)], functions: [us('f', 990)] };
    const text = renderProfile('sample', sum, { requests: 100, cpuUs: 12, functions: 1 });
    assert.match(text, /\| a \| 9\.90 \| 99\.0 % \|/);
    assert.match(text, /\| all others \| 0\.04 \| 0\.4 % \|/);
    assert.match(text, /\| \*\*together\*\* \| 10\.00 \| 100\.0 % \|/);
    assert.match(text, /12\.0 µs per request/);
    assert.match(text, /\| f \| 9\.90/);
  });
});
