// The compiled router against its definition: a loop over the platform's URLPattern objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compileRouter, type RouteDefinition } from '../../src/web/router.ts';
import type { UrlPatternParts } from '../../src/web/url-pattern.ts';
import { targetText, type RouterRequest } from '../../src/web/url-target.ts';

interface Oracle {
  readonly definition: RouteDefinition<number>;
  readonly native: URLPattern;
}

function nativeRoutes(definitions: readonly RouteDefinition<number>[]): Oracle[] {
  const routes: Oracle[] = [];
  for (const definition of definitions) {
    const { method: _, port, ...parts } = definition.pattern;
    try {
      const init = port === undefined || port === 0 ? parts : { ...parts, port: String(port) };
      routes.push({ definition, native: new URLPattern(init) });
    } catch {
      // Rejected.
    }
  }
  return routes.sort((a, b) => b.definition.priority - a.definition.priority);
}

function expected(routes: readonly Oracle[], request: RouterRequest): readonly Oracle[] | null {
  const url = targetText(request);
  if (request.authority === '' || !URL.canParse(url)) return null;
  return routes.filter(({ definition, native }) => {
    const { method } = definition.pattern;
    return (method === undefined || method === request.method) && native.test(url);
  });
}

function expectedGroups(native: URLPattern, request: RouterRequest): Record<string, string> {
  const result = native.exec(targetText(request));
  assert.notEqual(result, null);
  const groups: Record<string, string> = {};
  if (result === null) return groups;
  for (const component of [
    'protocol',
    'username',
    'password',
    'hostname',
    'port',
    'search',
    'hash',
    'pathname',
  ] as const) {
    for (const [name, value] of Object.entries(result[component].groups)) {
      if (value !== undefined && (component === 'pathname' || !/^\d+$/.test(name))) groups[name] = value;
    }
  }
  return groups;
}

const text = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a.b',
  '.',
  '..',
  'é',
  '%61',
  '%2e',
  '',
  'x y',
  '$',
  '[',
  '^',
  '~',
);
const patternPiece = fc.oneof(
  { weight: 6, arbitrary: text.map((piece) => `/${piece}`) },
  { weight: 4, arbitrary: fc.constantFrom('/:x', '/:y', '/:x_1', '/*', '*', '/', '/a*', '/:é', '/b\\:a') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '/(a|b)',
      '/:z(\\d+)',
      '/:x?',
      '/:y*',
      '{/a}?',
      '{b}',
      '/:x-:y',
      '/:x.b',
      '/*?',
      '**',
      '/a:x',
      '(.*)',
      '/{:x}b',
      '\\*',
      '\\a',
    ),
  },
);
const pathnamePattern = fc.oneof(
  { weight: 9, arbitrary: fc.array(patternPiece, { minLength: 1, maxLength: 4 }).map((p) => p.join('')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('*', '', 'a', ':x', '/*?', '/:x/*', '/a/../b', '/a/:x/..', '//', '('),
  },
);
const hostnamePattern = fc.constantFrom(
  'localhost',
  'LOCALHOST',
  '127.0.0.1',
  '127.1',
  '*.a.example',
  ':sub.a.example',
  'a.example',
  '*',
  '',
  '{b.}?a.example',
  '(a|localhost)*',
  '[\\:\\:1]',
);

function optional<T>(arbitrary: fc.Arbitrary<T>, nil: number): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: nil });
}

const pattern: fc.Arbitrary<UrlPatternParts> = fc
  .record({
    pathname: fc.option(pathnamePattern, { nil: undefined, freq: 8 }),
    hostname: optional(hostnamePattern, 1),
    port: optional(fc.constantFrom(0, 80, 443, 8080, 70000), 1),
    protocol: optional(fc.constantFrom('http', 'https', 'HTTP', 'http{s}?', '*', 'ws', 'h*'), 1),
    search: optional(fc.constantFrom('', 'a=b', '?a=b', 'a=*', ':q', '*', "a'", 'a b'), 1),
    hash: optional(fc.constantFrom('', '*', 'top', ':h'), 1),
    username: optional(fc.constantFrom('', 'u', '*'), 1),
    password: optional(fc.constantFrom('', 'p', ':p'), 1),
    method: optional(fc.constantFrom('GET', 'POST'), 1),
  })
  .map((parts) => {
    const given = Object.entries(parts).filter(([, value]) => value !== undefined);
    // Most components are left out of most patterns.
    return Object.fromEntries(given);
  });

const sparsePattern = fc
  .tuple(pattern, fc.integer({ min: 0, max: 255 }))
  .map(([parts, mask]) =>
    Object.fromEntries(
      Object.entries(parts).filter(([name], i) => name === 'pathname' || (mask >> i) % 8 === 0),
    ),
  ) as fc.Arbitrary<UrlPatternParts>;

const definitions = fc.array(
  fc.record({ pattern: sparsePattern, priority: fc.integer({ min: -1, max: 1 }) }),
  {
    minLength: 1,
    maxLength: 12,
  },
);

const pathPiece = fc.oneof(
  { weight: 6, arbitrary: text.map((piece) => `/${Buffer.from(piece).toString('latin1')}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/1',
      '/12',
      '\\a',
      '/b:a',
      '/%2E',
      '/%',
      '#top',
      '/a?',
      '/\xff',
      '/{a}',
      '/%2f',
    ),
  },
);
const request: fc.Arbitrary<RouterRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'get', 'HEAD'),
  scheme: fc.constantFrom('http', 'https'),
  authority: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom('localhost', '127.0.0.1:8080', 'a.example', 'b.a.example', 'A.EXAMPLE:443'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '',
        '127.1:80',
        '[::1]:80',
        'u:p@a.example',
        'a b',
        'a/b',
        'x:99999',
        'a?b',
        'é',
        '1.2.3.256',
      ),
    },
  ),
  path: fc.oneof(
    { weight: 9, arbitrary: fc.array(pathPiece, { minLength: 1, maxLength: 4 }).map((p) => p.join('')) },
    { weight: 1, arbitrary: fc.constantFrom('*', '', '/', '//', '/../a') },
  ),
  query: fc.option(fc.constantFrom('', 'a=b', 'a=c', 'a=b#top', "a'", 'a b', 'é', '?a=b', '{^`|}'), {
    nil: null,
  }),
});

test('for any patterns and requests the router gives what a loop over URLPattern objects gives', () => {
  fc.assert(
    fc.property(definitions, fc.array(request, { minLength: 1, maxLength: 8 }), (rows, requests) => {
      const numbered = rows.map((row, value) => ({ ...row, value }));
      const oracle = nativeRoutes(numbered);
      const router = compileRouter(numbered);
      assert.equal(router.rejected.length, numbered.length - oracle.length);
      // Twice: the second answer comes from what the router keeps.
      for (const asked of [...requests, ...requests]) {
        const want = expected(oracle, asked);
        const got = router.match(asked);
        assert.deepEqual(got?.values ?? null, want?.map(({ definition }) => definition.value) ?? null);
        for (const [index, { native }] of (want ?? []).entries()) {
          assert.deepEqual({ ...got?.groups(index) }, expectedGroups(native, asked));
        }
      }
    }),
    { numRuns: Number(process.env['HOWDAH_FUZZ_RUNS'] ?? 2000) },
  );
});
