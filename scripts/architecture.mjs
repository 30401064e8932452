// Writes the list of files in ARCHITECTURE.md anew, from the first comment of each source file. The text above the list
// is written by hand.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MARK = '<!-- The list below is made by `npm run architecture` from the first comment of each file. -->';
const root = fileURLToPath(new URL('..', import.meta.url));
const path = `${root}ARCHITECTURE.md`;

/** The first sentence of the comment that a file begins with. */
function summary(file) {
  const lines = readFileSync(root + file, 'utf8').split('\n');
  const comment = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  const text = comment.map((line) => line.replace(/^\/\/ ?/, '')).join(' ');
  const sentence = /^.*?[.:](?=\s|$)(?=\s+[A-Z`(]|\s*$|\s{2,})/.exec(text)?.[0] ?? text;
  return sentence.replace(/:$/, '.').replaceAll('|', '\\|').trim();
}

const files = globSync('src/**/*.ts', { cwd: root }).sort();
const rooms = Map.groupBy(files, (file) => file.slice(0, file.lastIndexOf('/')));
const sections = [...rooms].map(([room, members]) => {
  const rows = members.map((file) => `- \`${file.slice(room.length + 1)}\`: ${summary(file)}`);
  return `### ${room}/\n\n${rows.join('\n')}\n`;
});
const [above] = readFileSync(path, 'utf8').split(MARK);
writeFileSync(path, `${above}${MARK}\n\n${sections.join('\n')}`);
