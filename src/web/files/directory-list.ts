// The names in a directory as a page of HTML.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from './open-file.ts';

/** Null where the directory is not there any more. `title` is shown as text. */
export async function directoryPage(
  root: string,
  segments: readonly string[],
  title: string,
  isShown: (name: string) => boolean,
): Promise<string | null> {
  const entries = await readdir(join(root, ...segments), { withFileTypes: true }).catch(absent);
  if (entries === null) return null;
  const names = entries
    .filter(({ name }) => isShown(name))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
  if (segments.length > 0) names.unshift('../');
  const links = names.map((name) => `<li><a href="${link(name)}">${htmlText(name)}</a></li>`);
  return (
    `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n` +
    `<title>${htmlText(title)}</title>\n<h1>${htmlText(title)}</h1>\n<ul>\n${links.join('\n')}\n</ul>\n</html>\n`
  );
}

/** Relative, so that it does not matter where the page is; `./` keeps a colon in the name from being taken for a scheme. */
function link(name: string): string {
  return htmlText(`./${name.split('/').map(encodeURIComponent).join('/')}`);
}

/** In ASCII, so that it does not matter what charset is said. */
export function htmlText(text: string): string {
  return text.replaceAll(/[^ -~]|[&<>"']/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}
