// The router's rules by example (omni_httpd.md §7). That patterns mean what URLPattern means is router-properties.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BoundedCache } from '../../src/web/bounded-cache.ts';
import { compileRouter, type RouteDefinition, type Router } from '../../src/web/router.ts';
import type { UrlPatternParts } from '../../src/web/url-pattern.ts';
import type { RouterRequest } from '../../src/web/url-target.ts';

function routerOf(patterns: Record<string, UrlPatternParts>): Router<string> {
  const routes = Object.entries(patterns).map(([value, pattern]): RouteDefinition<string> => ({
    pattern,
    priority: 0,
    value,
  }));
  return compileRouter(routes);
}

function request(path: string, more: Partial<RouterRequest> = {}): RouterRequest {
  const question = path.indexOf('?');
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'localhost:8080',
    path: question === -1 ? path : path.slice(0, question),
    query: question === -1 ? null : path.slice(question + 1),
    ...more,
  };
}

function values(router: Router<string>, path: string, more?: Partial<RouterRequest>): string {
  return router.match(request(path, more))?.values.join(' ') ?? 'no URL';
}

describe('order', () => {
  test('the highest priority comes first, equal ones in input order', () => {
    const router = compileRouter([
      { pattern: {}, priority: -2147483648, value: 'default' },
      { pattern: { pathname: '/a' }, priority: 0, value: 'literal' },
      { pattern: { pathname: '/:x' }, priority: 5, value: 'group' },
      { pattern: { pathname: '/(a|b)' }, priority: 0, value: 'expression' },
      { pattern: { pathname: '*', hostname: 'localhost' }, priority: 0, value: 'host' },
      { pattern: { pathname: '/a' }, priority: 2147483647, value: 'first' },
    ]);
    assert.equal(values(router, '/a'), 'first group literal expression host default');
    assert.equal(values(router, '/a', { authority: 'other' }), 'first group literal expression default');
  });

  test('the same routes are given as the same array', () => {
    const router = routerOf({ a: { pathname: '/:x' }, b: {} });
    const first = router.match(request('/1'))?.values;
    assert.notEqual(first, undefined);
    assert.equal(router.match(request('/2', { authority: 'else' }))?.values, first);
    assert.notEqual(router.match(request('/2/3'))?.values, first);
  });

  test('no match is an empty list', () => {
    assert.deepEqual(routerOf({ a: { pathname: '/a' } }).match(request('/b'))?.values, []);
  });
});

describe('what a pattern asks for', () => {
  test('no component at all matches everything', () => {
    const router = routerOf({ all: {} });
    for (const path of ['/', '/a/b?c', '*', '', '/%', '//x']) assert.equal(values(router, path), 'all', path);
  });

  test('the method is compared with its case', () => {
    const router = routerOf({ get: { method: 'GET' }, post: { method: 'POST' } });
    assert.equal(values(router, '/', { method: 'POST' }), 'post');
    assert.equal(values(router, '/', { method: 'post' }), '');
  });

  test('hostname and port are those of the request, not of the socket', () => {
    const router = routerOf({
      name: { hostname: 'localhost' },
      address: { hostname: '127.0.0.1' },
      port: { port: 8080 },
      any: { port: 0 },
    });
    assert.equal(values(router, '/'), 'name port any');
    assert.equal(values(router, '/', { authority: '127.0.0.1:8081' }), 'address any');
    assert.equal(values(router, '/', { authority: 'LOCALHOST:8080' }), 'name port any');
  });

  test('port 80 matches nothing on http, unless the protocol says http too', () => {
    const router = routerOf({ port: { port: 80 }, both: { port: 80, protocol: 'http' } });
    assert.equal(values(router, '/', { authority: 'localhost:80' }), 'both');
    assert.equal(values(router, '/', { authority: 'localhost' }), 'both');
    assert.equal(values(router, '/', { authority: 'localhost', scheme: 'https' }), '');
  });

  test('the scheme is compared', () => {
    const router = routerOf({
      http: { protocol: 'http' },
      s: { protocol: 'https' },
      any: { protocol: 'http{s}?' },
    });
    assert.equal(values(router, '/'), 'http any');
    assert.equal(values(router, '/', { scheme: 'https' }), 's any');
  });

  test('/*? matches every path, /a/* what has a slash after /a', () => {
    const router = routerOf({
      all: { pathname: '/*?' },
      below: { pathname: '/a/*' },
      prefix: { pathname: '/a*' },
    });
    assert.equal(values(router, '/'), 'all');
    assert.equal(values(router, '/a'), 'all prefix');
    assert.equal(values(router, '/a/'), 'all below prefix');
    assert.equal(values(router, '/ab/c'), 'all prefix');
  });

  test('a group takes one segment, and never an empty one', () => {
    const router = routerOf({
      one: { pathname: '/:a' },
      two: { pathname: '/:a/:b' },
      slash: { pathname: '/:a/' },
    });
    assert.equal(values(router, '/'), '');
    assert.equal(values(router, '/x'), 'one');
    assert.equal(values(router, '/x/'), 'slash');
    assert.equal(values(router, '/x/y'), 'two');
    assert.equal(values(router, '//y'), '');
  });

  test('search is compared, and with it whether there is any', () => {
    const router = routerOf({
      none: { search: '' },
      some: { search: 'a=*' },
      exact: { search: 'a=b' },
      any: {},
    });
    assert.equal(values(router, '/x'), 'none any');
    assert.equal(values(router, '/x?a=b'), 'some exact any');
    assert.equal(values(router, '/x?a=c'), 'some any');
    assert.equal(values(router, '/x?b'), 'any');
  });

  test('paths are compared in the canonical form of URLs', () => {
    const router = routerOf({ a: { pathname: '/a' }, u: { pathname: '/ü' }, encoded: { pathname: '/%61' } });
    assert.equal(values(router, '/b/../a'), 'a');
    assert.equal(values(router, '/%2e/a'), 'a');
    assert.equal(values(router, '/.\\a'), 'a');
    assert.equal(values(router, '/%C3%BC'), 'u');
    assert.equal(values(router, '/\xc3\xbc'), 'u');
    assert.equal(values(router, '/%61'), 'encoded');
  });
});

describe('what is no pattern, what is no URL', () => {
  test('a pattern that URLPattern rejects is left out, with the component that is wrong', () => {
    const router = routerOf({
      good: {},
      twice: { pathname: '/:a/:a' },
      open: { pathname: '/a', search: '(' },
      port: { port: 70000 },
    });
    assert.deepEqual(
      router.rejected.map(({ value, reason }) => `${value}: ${reason}`),
      [
        'twice: not a valid URL pattern: pathname "/:a/:a"',
        'open: not a valid URL pattern: search "("',
        'port: not a valid URL pattern: port "70000"',
      ],
    );
    assert.equal(values(router, '/a'), 'good');
  });

  test('an authority that is none makes the target no URL, also where a path segment could be taken for it', () => {
    const router = routerOf({ all: {} });
    for (const authority of ['', 'a b', 'x:99999', '[::1', '1.2.3.256', 'a%zz']) {
      assert.equal(router.match(request('/victim', { authority })), null, authority);
    }
  });
});

describe('groups', () => {
  test('are those of the path, by name, and unnamed ones by number', () => {
    const router = routerOf({
      simple: { pathname: '/a/:b/c/:d/*' },
      expression: { pathname: '/a/:b/(c)/:d(\\d+)/:rest*' },
      all: {},
    });
    const matches = router.match(request('/a/1%20/c/22/x/y?q'));
    assert.deepEqual(matches?.values, ['simple', 'expression', 'all']);
    assert.deepEqual({ ...matches?.groups(0) }, { b: '1%20', d: '22', '0': 'x/y' });
    assert.deepEqual({ ...matches?.groups(1) }, { '0': 'c', b: '1%20', d: '22', rest: 'x/y' });
    assert.deepEqual({ ...matches?.groups(2) }, { '0': '/a/1%20/c/22/x/y' });
  });

  test('have the names of the other components too, but the path goes first', () => {
    const router = routerOf({ a: { hostname: ':sub.:x.example', pathname: '/:x', search: 'q=:q' } });
    const matches = router.match(request('/path?q=1', { authority: 'b.c.example' }));
    assert.deepEqual({ ...matches?.groups(0) }, { sub: 'b', x: 'path', q: '1' });
  });

  test('that took no part in the match are missing', () => {
    const matches = routerOf({ a: { pathname: '/a/:b?' } }).match(request('/a'));
    assert.deepEqual({ ...matches?.groups(0) }, {});
  });

  test('may have any name', () => {
    const matches = routerOf({ a: { pathname: '/:__proto__/:constructor' } }).match(request('/x/y'));
    const groups = matches?.groups(0) ?? {};
    assert.deepEqual(Object.entries(groups), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('a bounded cache', () => {
  test('keeps what is asked for, and no more than twice a generation', () => {
    const cache = new BoundedCache<number>(10, 5);
    cache.set('hot', 1);
    for (let i = 0; i < 1000; i++) {
      cache.set(`k${i}`, i);
      assert.equal(cache.get('hot'), 1);
      assert.ok(cache.size <= 20);
    }
    assert.equal(cache.get('k0'), undefined);
    assert.equal(cache.get('k999'), 999);
  });

  test('does not keep keys that are too long', () => {
    const cache = new BoundedCache<number>(10, 5);
    cache.set('123456', 1);
    cache.set('12345', 2);
    assert.equal(cache.get('123456'), undefined);
    assert.equal(cache.get('12345'), 2);
  });
});
