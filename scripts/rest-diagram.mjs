// Makes the diagram and the table of decisions in docs/rest.md from the table in src/web/rest/rest-flow.ts; with --check, only says
// whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { flowDocument } from './rest-diagram-text.ts';

const page = fileURLToPath(new URL('../docs/rest.md', import.meta.url));
const before = readFileSync(page, 'utf8');
const after = await flowDocument(before);
if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('docs/rest.md is not up to date: npm run rest-diagram');
    process.exit(1);
  }
} else if (before !== after) {
  writeFileSync(page, after);
}
