// Writes docs/reference.md anew, from the comments in the program.
import { writeFileSync } from 'node:fs';
import { referenceDocument } from './reference-text.ts';

writeFileSync(new URL('../docs/reference.md', import.meta.url), await referenceDocument());
