// The part of docs/rest.md that is made from the table of rest()'s decisions, put in place of what stands there. Reads no files.
import * as prettier from 'prettier';
import { FIRST_STEP, FLOW } from '../src/web/rest/rest-flow.ts';
import { STATUS_REASONS } from '../src/protocol/http/status-reasons.ts';

const BEGIN = '<!-- made by `npm run rest-diagram` -->\n';
const END = '<!-- end of what is made -->\n';

/** The page with its made part up to date. */
export async function flowDocument(page: string): Promise<string> {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('docs/rest.md has no place for the diagram');
  const made = `${BEGIN}\n<!-- not run: a diagram -->\n\n\`\`\`mermaid\n${diagram()}\`\`\`\n\n${table()}\n`;
  const options: prettier.Options = {
    parser: 'markdown',
    printWidth: 110,
    singleQuote: true,
    trailingComma: 'all',
  };
  return prettier.format(page.slice(0, begin) + made + page.slice(end), options);
}

const status = (code: number): string => `${code} ${STATUS_REASONS[code] ?? ''}`.trim();

function diagram(): string {
  const lines = ['flowchart TD', `  start([request]) --> ${FIRST_STEP}`];
  for (const [step, { question, answers }] of Object.entries(FLOW)) {
    lines.push(`  ${step}{"${question}"}`);
    for (const [answer, target] of Object.entries(answers)) {
      const to = typeof target === 'number' ? `${step}${target}(["${status(target)}"])` : target;
      lines.push(`  ${step} -- ${answer} --> ${to}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function table(): string {
  const lines = ['| step | question | answers |', '| --- | --- | --- |'];
  for (const [step, { question, answers }] of Object.entries(FLOW)) {
    const leads = Object.entries(answers).map(([answer, target]) =>
      typeof target === 'number' ? `${answer} → **${status(target)}**` : `${answer} → \`${target}\``,
    );
    lines.push(`| \`${step}\` | ${question} | ${leads.join('; ')} |`);
  }
  return lines.join('\n');
}
