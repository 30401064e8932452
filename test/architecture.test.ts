// Holds the sources to ARCHITECTURE.md: directions of imports, cycles, purity, sizes, names. The rules are
// architecture/rules.ts; each is also shown to fail on made-up sources.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { brokenRules, importsOf, namingProblems } from './architecture/rules.ts';

const root = new URL('..', import.meta.url);
const paths = globSync('{src,test,bench,fuzz,scripts}/**/*.{ts,mjs}', {
  cwd: root,
  exclude: ['**/node_modules'],
}).sort();
const sources = new Map(paths.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));

test('imports follow the directions of the design, without a cycle, and files keep their limits', () => {
  assert.ok(sources.size > 20);
  assert.deepEqual(brokenRules(sources), []);
});

test('ARCHITECTURE.md names every source file, and none that is not there', (context) => {
  const document = new URL('ARCHITECTURE.md', root);
  if (!existsSync(document)) {
    context.skip('there is no ARCHITECTURE.md');
    return;
  }
  assert.deepEqual(namingProblems(readFileSync(document, 'utf8'), paths), []);
});

describe('each rule can fail', () => {
  const HEAD = '// A made-up file.\n';
  const made = (files: Record<string, string>): string[] =>
    brokenRules(new Map(Object.entries(files).map(([path, code]) => [path, `${HEAD}${code}\n`])));

  const cases: readonly [name: string, files: Record<string, string>, broken: RegExp | null][] = [
    [
      'an arrow of the design',
      { 'src/server/a.ts': "import { b } from '../transport/b.ts';", 'src/transport/b.ts': '' },
      null,
    ],
    [
      'an arrow against it',
      { 'src/transport/b.ts': "import { a } from '../server/a.ts';", 'src/server/a.ts': '' },
      /transport must not know server/,
    ],
    [
      'a wrong arrow in an export',
      { 'src/database/b.ts': "export { a } from '../web/a.ts';", 'src/web/a.ts': '' },
      /database must not know web/,
    ],
    [
      'a wrong arrow over several lines',
      {
        'src/database/b.ts': "import {\n  a,\n} from '../protocol/http/a.ts';",
        'src/protocol/http/a.ts': '',
      },
      /database must not know protocol\/http/,
    ],
    [
      'a wrong arrow when it is needed',
      { 'src/web/b.ts': "const a = await import('../catalog/a.ts');", 'src/catalog/a.ts': '' },
      /web must not know catalog/,
    ],
    [
      'a wrong arrow as the file of a thread',
      { 'src/web/b.ts': "new Worker(new URL('../database/a.ts', x));", 'src/database/a.ts': '' },
      /web must not know database/,
    ],
    [
      'one protocol that knows another',
      {
        'src/protocol/http2/b.ts': "import type { A } from '../http1/a.ts';",
        'src/protocol/http1/a.ts': '',
      },
      /protocol\/http2 must not know protocol\/http1/,
    ],
    [
      'a script that makes a table of a protocol',
      { 'src/protocol/http2/a.table.generate.ts': "import { writeFileSync } from 'node:fs';" },
      null,
    ],
    [
      'errors that import',
      { 'src/errors.ts': "import { a } from './observe/a.ts';", 'src/observe/a.ts': '' },
      /errors must not know observe/,
    ],
    [
      'an import of observe and errors from anywhere',
      {
        'src/protocol/http1/a.ts': "import type { O } from '../../observe/o.ts';",
        'src/observe/o.ts': "import { E } from '../errors.ts';",
        'src/errors.ts': '',
      },
      null,
    ],
    [
      'a room of its own',
      { 'src/attic/a.ts': "import { e } from '../errors.ts';", 'src/errors.ts': '' },
      /no room/,
    ],
    ['an import of nothing', { 'src/web/a.ts': "import { b } from './b.ts';" }, /no such file/],
    [
      'a socket in a protocol',
      { 'src/protocol/http1/a.ts': "import { connect } from 'node:net';" },
      /types and node:buffer only/,
    ],
    [
      'a package in a protocol',
      { 'src/protocol/http1/a.ts': "import pg from 'pg';" },
      /types and node:buffer only/,
    ],
    ['bytes in a protocol', { 'src/protocol/http1/a.ts': "import { Buffer } from 'node:buffer';" }, null],
    [
      'a clock in a protocol',
      { 'src/protocol/http1/a.ts': 'export const now = Date.now();' },
      /not pure: Date.now/,
    ],
    [
      'a promise in a protocol',
      { 'src/protocol/http1/a.ts': 'export async function f() {}' },
      /not pure: async/,
    ],
    [
      'a clock in the comment of a protocol',
      { 'src/protocol/http1/a.ts': '// Not Date.now(): pure.\nexport const a = 1;' },
      null,
    ],
    [
      'a cycle within a room',
      {
        'src/web/a.ts': "import { b } from './b.ts';",
        'src/web/b.ts': "import { c } from './c.ts';",
        'src/web/c.ts': "import { b } from './b.ts';",
      },
      /cycle: src\/web\/b.ts → src\/web\/c.ts → src\/web\/b.ts/,
    ],
    ['a default export', { 'src/web/a.ts': 'export default 1;' }, /default export/],
    [
      'a default export by another way',
      { 'src/web/a.ts': 'const a = 1;\nexport { a as default };' },
      /default/,
    ],
    [
      'code in the public API',
      { 'src/index.ts': "export { a } from './web/a.ts';\nexport const b = 1;", 'src/web/a.ts': '' },
      /more than re-export/,
    ],
    [
      're-exports in the public API',
      {
        'src/index.ts': "export {\n  a,\n  b,\n} from './web/a.ts';\nexport type { A } from './web/a.ts';",
        'src/web/a.ts': '',
      },
      null,
    ],
    ['a long file', { 'src/web/a.ts': '\n'.repeat(699) }, /has 701 lines/],
    ['a file at the limit', { 'src/web/a.ts': '\n'.repeat(698) }, null],
    ['a long test', { 'test/web/a.test.ts': '\n'.repeat(700) }, /has 702 lines/],
    ['a long table', { 'src/web/a.table.ts': '\n'.repeat(5000) }, null],
  ];
  for (const [name, files, broken] of cases) {
    test(`${name}: ${broken === null ? 'is allowed' : 'is found'}`, () => {
      const found = made(files);
      if (broken === null) assert.deepEqual(found, []);
      else assert.match(found.join('\n'), broken);
    });
  }

  test('a file without a first line that says what it is: is found', () => {
    assert.match(
      brokenRules(new Map([['src/web/a.ts', 'export const a = 1;\n']])).join('\n'),
      /says what it is/,
    );
  });

  test('a document that misses a file or names a lost one: is found', () => {
    const problems = namingProblems('`web/a.ts`, `lost.ts`', ['src/web/a.ts', 'src/web/b.ts']);
    assert.deepEqual(problems, ['src/web/b.ts is not named', 'lost.ts is named and does not exist']);
  });

  test('imports are told apart by kind', () => {
    const code = [
      "import './a.ts';",
      "import type { B } from './b.ts';",
      "export * from './c.ts';",
      "  await import('./d.ts');",
      "// import './no.ts';",
      " * import('./no.ts')",
    ].join('\n');
    assert.deepEqual(
      importsOf('src/x.ts', code).map(({ specifier, kind }) => `${specifier} ${kind}`),
      ['./a.ts value', './b.ts type', './c.ts value', './d.ts dynamic'],
    );
  });
});
