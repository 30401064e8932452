// The text of docs/reference.md: an entry for each name that index.ts exports, from its declaration and the comments there. Writes no
// file.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Chapters of the page: which files declare what is in them, and the guide to it. */
const CHAPTERS: readonly (readonly [title: string, guide: string, files: RegExp])[] = [
  ['Applications and servers', 'app.md', /define-application|serve-application|serve-options|gateway\.ts/],
  ['Routes and handlers', 'app.md#routes', /web\/(route|route-pattern|constraint|handler|exchange)\.ts/],
  ['SQL', 'app.md#sql-from-typescript', /sql-client|sql-template|exchange-result|values\.ts/],
  ['What a request brings', 'requests.md', /matching|set-cookie|request-fields|read-body|multipart/],
  ['Files', 'static-files.md', /web\/files\//],
  ['Resources', 'rest.md', /web\/rest\//],
  ['Live data', 'live.md', /websocket|origin-check|sse|server-sent-event|events\.ts/],
  [
    'Stream handlers',
    'stream-handlers.md',
    /server\/(compress|decompress|metrics|tracer|command|stream-handler)\.ts/,
  ],
  ['Errors and observations', 'errors.md', /errors\.ts|observation\.ts/],
];

export interface Export {
  readonly name: string;
  /** Of the file that declares it, from `src`. */
  readonly file: string;
}

interface Member {
  readonly doc: string;
  readonly text: string;
}

interface Declaration extends Member {
  readonly members: readonly Member[];
}

const sources = new Map<string, string>();
function sourceOf(file: string): string {
  const known = sources.get(file) ?? readFileSync(`${root}src/${file}`, 'utf8');
  sources.set(file, known);
  return known;
}

/** What a file exports from others, by name. */
function reExports(file: string): Export[] {
  return Array.from(
    sourceOf(file).matchAll(/^export (?:type )?\{([^}]+)\} from '([^']+)';/gm),
    ([, names = '', from = '']) => {
      const target = posix.join(posix.dirname(file), from);
      return names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => declaredBy(name, target));
    },
  ).flat();
}

function declaredBy(name: string, file: string): Export {
  return reExports(file).find((other) => other.name === name) ?? { name, file };
}

export const publicExports = (): Export[] => reExports('index.ts');

/** The end of a text that begins at `start` and ends with one of `ends` outside of all brackets. */
function endOf(source: string, start: number, ends: string): number {
  let depth = 0;
  for (let i = start; i < source.length; i += 1) {
    const character = source[i] ?? '';
    if (depth === 0 && ends.includes(character)) return i;
    if (character === "'" || character === '`') i = after(source, character, i);
    else if (source.startsWith('//', i)) i = after(source, '\n', i);
    else if (source.startsWith('/*', i)) i = after(source, '*/', i);
    else if (source.startsWith('=>', i)) i += 1;
    else if ('([{<'.includes(character)) depth += 1;
    else if (')]}>'.includes(character)) depth -= 1;
  }
  throw new Error('a declaration without an end');
}

function after(source: string, mark: string, position: number): number {
  const found = source.indexOf(mark, position + 1);
  if (found < 0) throw new Error(`no ${mark} where one is to be`);
  return found + mark.length - 1;
}

/** The comment that ends right before `position`. */
function docBefore(source: string, position: number): string {
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(source.slice(0, position))?.[1] ?? '';
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

const oneLine = (text: string): string =>
  text
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([([{<]) | ([)\]}>])/g, '$1$2')
    .replaceAll(/,([)\]>])/g, '$1')
    .trim();

function membersOf(body: string, kind: 'class' | 'interface'): Member[] {
  const members: Member[] = [];
  for (const found of body.matchAll(/^ {2}(?=[\w[(<])(?!readonly #|private |static |constructor)/gm)) {
    const start = found.index + 2;
    const end = endOf(body, start, kind === 'class' ? ';{=' : ';');
    const text = oneLine(body.slice(start, end)).replace(/^(readonly|override|async) /, '');
    const doc = docBefore(body, found.index);
    const last = members.at(-1);
    // A setter, another signature.
    if (doc === '' && last !== undefined && nameIn(last.text) === nameIn(text)) continue;
    members.push({ doc, text });
  }
  return members;
}

const nameIn = (text: string): string => /^(?:readonly |get |set )*\*?([\w[\].]+)/.exec(text)?.[1] ?? text;

export function declarationOf({ name, file }: Export): Declaration {
  const source = sourceOf(file);
  const heads = new RegExp(
    `^export (?:async )?((function|class|interface|type|const) ${name.replace('$', '\\$')}\\b)`,
    'gm',
  );
  const found = Array.from(source.matchAll(heads), ({ index, 2: kind = '' }) => {
    const start = index + 'export '.length;
    if (kind === 'interface' || kind === 'class') {
      const open = endOf(source, start, '{');
      const members = membersOf(`${source.slice(open + 1, source.indexOf('\n}\n', open))}\n`, kind);
      return { doc: docBefore(source, index), text: oneLine(source.slice(start, open)), members };
    }
    const end =
      kind === 'function' ? functionEnd(source, start) : endOf(source, start, kind === 'const' ? '=' : ';');
    const text = oneLine(source.slice(start, end));
    return { doc: docBefore(source, index), text, members: [] };
  });
  if (found.length === 0) throw new Error(`${file} does not declare ${name}`);
  // Of a function with several signatures, the last is that of what does the work.
  const shown = found.length > 1 ? found.slice(0, -1) : found;
  return {
    doc: found
      .map(({ doc }) => doc)
      .filter((doc) => doc !== '')
      .join('\n'),
    text: shown.map(({ text }) => text).join('\n'),
    members: found[0]?.members ?? [],
  };
}

/** Where the body of a function begins: the brace at the end of a line, after its parameters. */
function functionEnd(source: string, start: number): number {
  const parameters = source.indexOf('(', start);
  const close = endOf(source, parameters + 1, ')');
  const body = /[;{]$/m.exec(source.slice(close));
  return close + (body?.index ?? 0);
}

/** A comment as Markdown: what it throws in a line of its own. */
function prose(doc: string): string {
  const [text = '', ...tags] = doc.split(/@(?=throws |param )/);
  const lines = [
    text,
    ...tags.map((tag) => tag.replace(/^throws /, 'Throws ').replace(/^param (\w+) /, '`$1`: ')),
  ];
  return lines
    .map((line) => line.replaceAll(/\s*\n\s*(?=\S)/g, ' ').trim())
    .filter((line) => line !== '')
    .join(' \\\n');
}

const code = (text: string): string => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``;

function entry(one: Export): string {
  const { doc, text, members } = declarationOf(one);
  const rows = members.map(
    (member) =>
      `| ${code(member.text)} | ${prose(member.doc).replaceAll('\\\n', '').replaceAll('|', '\\|')} |`,
  );
  const table = rows.length === 0 ? '' : `\n| member | what it is |\n| --- | --- |\n${rows.join('\n')}\n`;
  // Each kind of a union of kinds on a line of its own.
  const shown = text.replaceAll(/ \| (?=\{kind|\{readonly kind|ResponseCommand)/g, '\n  | ');
  return `### ${one.name}\n\n\`\`\`text\n${shown}\n\`\`\`\n\n${prose(doc)}\n${table}`;
}

/** The page, as it is to be. */
export async function referenceDocument(): Promise<string> {
  const exports = publicExports();
  const chapters = CHAPTERS.map(([title, guide, files]) => {
    const entries = exports.filter(({ file }) => chapterOf(file) === files);
    return `## ${title}\n\nThe guide to it: [${guide.replace(/#.*/, '')}](${guide}).\n\n${entries.map(entry).join('\n')}`;
  });
  const text =
    '# Reference of the TypeScript API\n\nWhat `howdah` exports, by subject. This page is made of the comments in the program by `npm run reference`.\n\n' +
    chapters.join('\n');
  const path = `${root}docs/reference.md`;
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

function chapterOf(file: string): RegExp {
  const found = CHAPTERS.find(([, , files]) => files.test(file));
  if (found === undefined) throw new Error(`scripts/reference-text.ts has no chapter for src/${file}`);
  return found[2];
}
