// Sessions as documents show them: `$ command` lines with the output that follows. Parses and compares; runs nothing.

export interface ConsoleStep {
  /** With the lines of its here-document and its continued lines. */
  readonly command: string;
  /** Lines that the document shows below it; `…` stands for anything. */
  readonly expected: readonly string[];
}

export function consoleSteps(code: string): ConsoleStep[] {
  const lines = code.split('\n');
  const steps: { command: string; expected: string[] }[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (!line.startsWith('$ ')) {
      const step = steps.at(-1);
      if (step === undefined) throw new Error(`a console block begins with "$ ", not with "${line}"`);
      step.expected.push(line);
      continue;
    }
    const command = [line.slice(2)];
    while (command.at(-1)?.endsWith('\\') === true) command.push(lines[(i += 1)] ?? '');
    const end = /<<-?\s*(['"]?)(\w+)\1/.exec(line)?.[2];
    if (end !== undefined) {
      while (command.at(-1) !== end) {
        i += 1;
        if (i >= lines.length) throw new Error(`the here-document of "${line}" is not closed`);
        command.push(lines[i] ?? '');
      }
    }
    steps.push({ command: command.join('\n'), expected: [] });
  }
  return steps;
}

/** A command whose output is not shown may print anything. */
export function outputFits(expected: readonly string[], actual: string): boolean {
  const shown = expected.join('\n').trim();
  if (shown === '') return true;
  const pattern = shown
    .split('\n')
    .map((line) => {
      if (line.trim() === '…') return '(?:[^\\n]*\\n)*?';
      return `${line.trimEnd().split('…').map(escaped).join('[^\\n]*?')}\\s*?\\n`;
    })
    .join('');
  return new RegExp(`^${pattern}$`).test(`${actual.trim()}\n`);
}

/** Runs of spaces may differ in length: the addresses that stand in for the document's have other ports. */
const escaped = (text: string): string =>
  text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`).replaceAll(/ {2,}/g, ' {2,}');
