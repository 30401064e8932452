// Finds the fenced code blocks of a Markdown document. Runs nothing.

export interface CodeBlock {
  /** First word after the fence; empty if there is none. */
  readonly language: string;
  readonly code: string;
  /** 1-based line of the fence. */
  readonly line: number;
  /** Why it is not to be run (`<!-- not run: reason -->` right before it), or null. */
  readonly notRun: string | null;
}

const NOT_RUN = /^<!--\s*not run:\s*(.*?)\s*-->$/;

export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split('\n');
  let before = '';
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const fence = /^(\s*)(`{3,}|~{3,})\s*([\w-]*)/.exec(line);
    if (fence === null) {
      if (line.trim() !== '') before = line.trim();
      continue;
    }
    const [, indent = '', marks = '', language = ''] = fence;
    const end = lines.findIndex((text, k) => k > i && text.trim() === marks);
    if (end < 0) throw new Error(`line ${i + 1}: the code block is not closed`);
    const reason = NOT_RUN.exec(before)?.[1] ?? null;
    if (reason === '') throw new Error(`line ${i + 1}: "not run" gives no reason`);
    blocks.push({
      language,
      code: lines
        .slice(i + 1, end)
        .map((text) => (text.startsWith(indent) ? text.slice(indent.length) : text))
        .join('\n'),
      line: i + 1,
      notRun: reason,
    });
    before = '';
    i = end;
  }
  return blocks;
}
