// What a look-up in the compiled router costs with 10 and with 1000 routes, and what a loop over URLPattern objects
// costs. Not a benchmark of serving. Run: node bench/micro/router.ts
import { compileRouter, type Router } from '../../src/web/router.ts';
import type { UrlPatternParts } from '../../src/web/url-pattern.ts';
import type { RouterRequest } from '../../src/web/url-target.ts';

const ROUNDS = 15;
const REQUESTS = 20_000;
const NATIVE_REQUESTS = 200;

// Every tenth route is of each shape, as in an application: most are paths with or without an identifier.
function pattern(i: number): UrlPatternParts {
  switch (i % 10) {
    case 0:
      return { pathname: `/things-${String(i)}/*` };
    case 1:
      return { pathname: `/list-${String(i)}`, method: 'GET' };
    case 2:
      return { pathname: `/numbered-${String(i)}/:id(\\d+)/end` };
    case 3:
      return { pathname: '/tenant', hostname: `t${String(i)}.example` };
    case 4:
    case 5:
      return { pathname: `/api/v${String(i)}/:kind/:id` };
    default:
      return { pathname: `/api/collection-${String(i)}/:id` };
  }
}

function path(i: number, id: number): { path: string; authority: string } {
  const unique = String(id);
  switch (i % 10) {
    case 0:
      return { path: `/things-${String(i)}/${unique}`, authority: 'localhost:8080' };
    case 1:
      return { path: `/list-${String(i)}`, authority: 'localhost:8080' };
    case 2:
      return { path: `/numbered-${String(i)}/${unique}/end`, authority: 'localhost:8080' };
    case 3:
      return { path: '/tenant', authority: `t${String(i)}.example` };
    case 4:
    case 5:
      return { path: `/api/v${String(i)}/kind/${unique}`, authority: 'localhost:8080' };
    default:
      return { path: `/api/collection-${String(i)}/${unique}`, authority: 'localhost:8080' };
  }
}

function routerOf(count: number): Router<number> {
  return compileRouter(
    Array.from({ length: count }, (_, value) => ({ pattern: pattern(value), priority: 0, value })),
  );
}

let nextId = 0;

/** Requests for `count` routes; `fresh`: with identifiers never seen before, so that nothing kept helps. */
function requests(count: number, fresh: boolean): RouterRequest[] {
  return Array.from({ length: REQUESTS }, (_, i) => ({
    method: 'GET',
    scheme: 'http',
    query: null,
    ...path((i * 7) % count, fresh ? nextId++ : 7),
  }));
}

function nanoseconds(router: Router<number>, asked: readonly RouterRequest[]): number {
  const start = process.hrtime.bigint();
  for (const request of asked) if (router.match(request)?.values.length !== 1) throw new Error(request.path);
  return Number(process.hrtime.bigint() - start) / asked.length;
}

function nativeNanoseconds(patterns: readonly URLPattern[], asked: readonly RouterRequest[]): number {
  const some = asked.slice(0, NATIVE_REQUESTS);
  const start = process.hrtime.bigint();
  let found = 0;
  for (const { scheme, authority, path: pathname } of some) {
    const url = `${scheme}://${authority}${pathname}`;
    for (const candidate of patterns) if (candidate.test(url)) found++;
  }
  const elapsed = Number(process.hrtime.bigint() - start) / some.length;
  if (found < some.length) throw new Error('a request found no pattern');
  return elapsed;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const few = routerOf(10);
const many = routerOf(1000);
const natives = Array.from({ length: 1000 }, (_, i) => {
  const { method: _method, port: _port, ...parts } = pattern(i);
  return new URLPattern(parts);
});

const times: Record<string, number[]> = {};
function record(name: string, value: number): void {
  (times[name] ??= []).push(value);
}

for (let round = 0; round < ROUNDS; round++) {
  const fresh = requests(10, true);
  const known = requests(10, false);
  record('10 routes, new paths', nanoseconds(few, fresh));
  record('1000 routes, new paths of 10 of them', nanoseconds(many, fresh));
  record('1000 routes, new paths of all of them', nanoseconds(many, requests(1000, true)));
  record('10 routes, paths seen before', nanoseconds(few, known));
  record('1000 routes, paths seen before, of 10 of them', nanoseconds(many, known));
  record('1000 URLPattern objects in a loop', nativeNanoseconds(natives, requests(1000, true)));
}
for (const [name, values] of Object.entries(times)) {
  console.log(`${median(values).toFixed(0).padStart(9)} ns  ${name}`);
}
