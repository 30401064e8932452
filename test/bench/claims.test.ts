// What README and docs say of speed and memory is held to the scenarios: each is named as there is one, figures stand where
// `npm run bench -- --publish` writes them, and README's are those of the document. Whether a figure is right, a run says.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { README_BEGIN, README_END } from '../../bench/report/document.ts';
import { HEADLINES } from '../../bench/report/publish.ts';
import { SCENARIOS } from '../../bench/scenarios/all.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const names = new Set(SCENARIOS.map(({ name }) => name));

const README = read('README.md');
const benchmarks = read('docs/benchmarks.md');
const section = README.slice(README.indexOf(README_BEGIN), README.indexOf(README_END));

/** Where figures of speed and memory stand: the one is written by the bench, the other says by which scenario each is. */
const FIGURES = ['docs/benchmarks.md', 'docs/performance.md'];
const PROSE = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((name) => !FIGURES.includes(name));

/** A comparison or a rate with a number: a claim that only a run can make. */
const CLAIM =
  /\d+ (requests|messages|calls|look-ups|transactions|tps)\b[^.|]* (a|per) second|[\d.]+ (×|times) as (fast|many|small)|\d µs|[\d.]+ (bytes|KB) (a|per|for each) (connection|socket|request)/;

function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

describe('the documents', () => {
  it('name no scenario that is not there', () => {
    for (const name of [
      'bench/README.md',
      'README.md',
      ...readdirSync(join(root, 'docs')).map((each) => `docs/${each}`),
    ]) {
      if (!name.endsWith('.md')) continue;
      const text = read(name);
      for (const [, args = ''] of text.matchAll(/^npm run bench -- ([^#\n]*)/gm)) {
        const asked = args.trim().split(/ +/);
        const first = asked.findIndex((each) => each.startsWith('--'));
        for (const each of first < 0 ? asked : asked.slice(0, first)) {
          assert.ok(names.has(each), `${name}: npm run bench -- ${each}`);
        }
      }
    }
    for (const [, name = ''] of read('docs/performance.md').matchAll(/^- \*\*([a-z\d-]+)\*\*/gm)) {
      assert.ok(names.has(name), `docs/performance.md: ${name}`);
    }
  });

  it('explain every scenario', () => {
    const explained = read('bench/README.md');
    for (const name of names) assert.ok(explained.includes(`**${name}**`), name);
  });

  it('have figures of speed and memory where the bench writes them, and nowhere else', () => {
    for (const name of PROSE) {
      const text = name === 'README.md' ? README.replace(section, '') : read(name);
      for (const line of text.split('\n')) assert.doesNotMatch(line, CLAIM, name);
    }
  });

  it('are held to by a pattern that knows a claim', () => {
    for (const claim of [
      'It answers 30 000 requests a second.',
      'howdah is 1.5 times as fast',
      '| 6.96 × as fast |',
      'needs 12 µs',
      '9651 bytes per connection',
    ]) {
      assert.match(claim, CLAIM);
    }
    assert.doesNotMatch('it is looked for once a second, 10 minutes at most', CLAIM);
  });
});

describe('what the bench has published', () => {
  it('is of scenarios that are there, with the targets that they have', () => {
    const published = Array.from(
      benchmarks.matchAll(/^### ([a-z\d-]+): (.*)$/gm),
      ([, name = '', title = '']) => ({ name, title }),
    );
    assert.ok(published.length > 0);
    for (const { name, title } of published) {
      assert.equal(title, SCENARIOS.find((each) => each.name === name)?.title, name);
    }
    const targets = rowsOf(benchmarks.slice(0, benchmarks.indexOf('## Results'))).filter(([, , , target]) =>
      target?.startsWith('≥'),
    );
    assert.ok(targets.length > 0);
    for (const [, name, against, target] of targets) {
      const of = SCENARIOS.find((each) => each.name === name)?.targets.find(
        (each) => each.against === against,
      );
      assert.equal(target, `≥ ${of?.atLeast}`, `${name} against ${against}`);
    }
  });

  it('is in README what it is in the document', () => {
    for (const name of HEADLINES) assert.ok(names.has(name), name);
    const rows = rowsOf(section).filter(([, title]) => SCENARIOS.some((each) => each.title === title));
    assert.equal(rows.length, HEADLINES.length);
    for (const [, title, value] of rows) {
      const scenario = SCENARIOS.find((each) => each.title === title);
      const heading = `### ${scenario?.name}: ${title}\n`;
      const table = benchmarks.slice(benchmarks.indexOf(heading) + heading.length).split('\n### ')[0] ?? '';
      const own = rowsOf(table).find(([, contestant]) => contestant === `**${scenario?.subject}**`);
      const figure = own?.[2]?.split(' (')[0];
      assert.equal(value, `${figure} ${scenario?.unit}`, title);
    }
  });
});
