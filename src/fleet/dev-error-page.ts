// The page that `howdah dev` shows in place of every other while something is wrong.
import { HowdahError } from '../errors.ts';

const STYLE = `
  body { margin: 0; padding: 2rem; background: #1d1f21; color: #e8e6e3; font: 15px/1.5 system-ui, sans-serif }
  h1 { color: #ff7b72; font: 600 1.1rem/1.5 ui-monospace, monospace; white-space: pre-wrap }
  pre { padding: 1rem; overflow: auto; background: #0d0f10; border-left: 4px solid #ff7b72; font: 13px/1.5 ui-monospace, monospace }
`;

/** Asks now and then whether the page is another one, and shows it then. */
const FOLLOW = `
  const shown = document.documentElement.dataset.failure;
  setInterval(async () => {
    const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
    if (response !== null && (response.status !== 500 || !(await response.text()).includes(shown))) location.reload();
  }, 1000);
`;

export function errorPage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = placeInModule(error);
  const hint = error instanceof HowdahError ? `<p>${escape(error.hint)}</p>` : '';
  return `<!doctype html>
<html lang="en" data-failure="${Date.now().toString(36)}">
<meta charset="utf-8">
<title>howdah dev: failed</title>
<style>${STYLE}</style>
<h1>${escape(message)}</h1>
${hint}
${cause === '' ? '' : `<pre>${escape(cause)}</pre>`}
<p>This page goes away when the file has been put right.</p>
<script>${FOLLOW}</script>
</html>
`;
}

/** The stack of what went wrong in a module; of SQL the message has the place. */
export function placeInModule(error: unknown): string {
  if (!(error instanceof HowdahError) || error.code === 'HOWDAH_SQL_FAILED') return '';
  return error.cause instanceof Error ? (error.cause.stack ?? '') : '';
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
