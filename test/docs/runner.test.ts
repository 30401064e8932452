// Shows that the runner of the documents runs what it reads and can fail. The documents are docs.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { consoleSteps, outputFits } from './console-session.ts';
import { codeBlocks } from './markdown-blocks.ts';
import { runDocument } from './run-document.ts';

const fenced = (language: string, code: string, before = ''): string =>
  `${before}\n\`\`\`${language}\n${code}\n\`\`\`\n`;

describe('code blocks of a document', () => {
  test('have a language, a line and no fence', () => {
    const [block, ...others] = codeBlocks(`# Title\n\ntext \`code\`\n${fenced('sh', 'a\n\nb')}`);
    assert.deepEqual(others, []);
    assert.deepEqual(block, { language: 'sh', code: 'a\n\nb', line: 5, notRun: null });
  });

  test('are left out with a reason only', () => {
    assert.equal(codeBlocks(fenced('sh', 'a', '<!-- not run: needs root -->'))[0]?.notRun, 'needs root');
    assert.throws(() => codeBlocks(fenced('sh', 'a', '<!-- not run: -->')), /no reason/);
    assert.equal(codeBlocks(fenced('sh', 'a', '<!-- not run: a -->\ntext between'))[0]?.notRun, null);
  });

  test('are closed', () => {
    assert.throws(() => codeBlocks('```sh\na\n'), /not closed/);
  });
});

describe('a console session', () => {
  test('has commands with the output below them', () => {
    assert.deepEqual(consoleSteps('$ a\nx\ny\n$ b'), [
      { command: 'a', expected: ['x', 'y'] },
      { command: 'b', expected: [] },
    ]);
  });

  test('keeps here-documents and continued lines with their command', () => {
    assert.deepEqual(consoleSteps("$ cat <<'SQL'\n$ 1\nSQL\nout\n$ a \\\n  b\nc"), [
      { command: "cat <<'SQL'\n$ 1\nSQL", expected: ['out'] },
      { command: 'a \\\n  b', expected: ['c'] },
    ]);
    assert.throws(() => consoleSteps('$ cat <<X\na'), /not closed/);
  });

  test('begins with a command', () => {
    assert.throws(() => consoleSteps('npm start'), /begins with/);
  });

  const fits: readonly [expected: string, actual: string, fits: boolean][] = [
    ['a', 'a\n', true],
    ['a', 'b\n', false],
    ['a', 'a\nb\n', false],
    ['a\n…', 'a\nb\nc\n', true],
    ['a\n…', 'a\n', true],
    ['a\n…\nd', 'a\nb\nc\n', false],
    ['date: …', 'date: today\n', true],
    ['date: …', 'date: today\nmore\n', false],
    ['…b', 'aab\n', true],
    ['a.c', 'abc\n', false],
    ['a     b', 'a   b\n', true],
    ['a  b', 'a b\n', false],
    ['', 'anything\n', true],
  ];
  for (const [expected, actual, fit] of fits) {
    test(`${JSON.stringify(expected)} ${fit ? 'fits' : 'does not fit'} ${JSON.stringify(actual)}`, () => {
      assert.equal(outputFits(expected.split('\n'), actual), fit);
    });
  }
});

describe('a document', () => {
  test('whose commands print what it says passes, and its blocks share a directory', async () => {
    const made = fenced('sh', '# a comment\necho one > file\ncat >> file <<END\ntwo\nEND');
    assert.equal(await runDocument('a.md', `${made}${fenced('console', '$ cat file\none\ntwo')}`), 2);
  });

  const failing: readonly [name: string, markdown: string, message: RegExp][] = [
    ['whose output differs', fenced('console', '$ echo a\nb'), /a\.md:2: "echo a" printed/],
    ['whose command fails', fenced('sh', 'exit 3'), /ended with 3/],
    ['whose server does not start', fenced('console', '$ howdah serve --frobnicate'), /did not start/],
    ['with a block without a language', fenced('', 'a'), /nobody can run/],
    ['with a block of an unknown language', fenced('cobol', 'a'), /nobody can run/],
    ['with JSON that is none', fenced('json', '{a}'), /JSON/],
    ['with TypeScript of a wrong type', fenced('ts', "export const a: number = 'b';"), /not assignable/],
    ['with TypeScript that throws', fenced('ts', "throw new Error('thrown by it');"), /thrown by it/],
  ];
  for (const [name, markdown, message] of failing) {
    test(`${name} fails`, async () => {
      await assert.rejects(runDocument('a.md', markdown), message);
    });
  }

  test('with TypeScript that runs passes', async () => {
    assert.equal(
      await runDocument('a.md', fenced('ts', 'const a: number = 1;\nif (a !== 1) throw new Error();')),
      1,
    );
  });

  test('may have blocks that are not to be run', async () => {
    assert.equal(await runDocument('a.md', fenced('sh', 'exit 3', '<!-- not run: it fails -->')), 0);
  });
});
