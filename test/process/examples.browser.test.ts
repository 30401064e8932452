// The examples in a browser, from the welcome page on: a chat over WebSockets, and a table over server-sent events, each with a server that is all
// SQL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client as SqlClient } from 'pg';
import { startServe, temporaryDirectory, type Served } from '../cli/howdah-process.ts';
import { launchBrowser, type Tab, type TestBrowser } from '../support/browser.ts';

describe('the examples in a browser', () => {
  const directory = temporaryDirectory();
  let server: Served;
  let browser: TestBrowser;
  let sql: SqlClient;

  before(async () => {
    [server, browser] = await Promise.all([
      startServe(['--memory', '--examples'], { cwd: directory.path }),
      launchBrowser(),
    ]);
    sql = new SqlClient({ connectionString: server.gatewayUrl ?? '' });
    await sql.connect();
  });
  after(async () => {
    await sql.end();
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  /** Opens an example by its link on the welcome page. */
  const visit = async (link: string, name = ''): Promise<Tab> => {
    const tab = await browser.openTab();
    tab.page.on('dialog', (dialog) => void dialog.accept(name));
    await tab.page.goto(server.url);
    await tab.page.getByRole('link', { name: link }).click();
    return tab;
  };
  const shows = async ({ page, log }: Tab, text: string): Promise<void> => {
    await page
      .getByText(text)
      .first()
      .waitFor()
      .catch((error: unknown) => {
        throw new Error(`no ${JSON.stringify(text)}; the page said: ${log.join('\n')}`, { cause: error });
      });
  };

  test('the chat shows who comes, what is said, and the history to who comes late', async () => {
    const ann = await visit('a chat', 'Ann');
    await shows(ann, 'Ann is here');
    const bob = await visit('a chat', 'Bob');
    await shows(ann, 'Bob is here');
    const say = async ({ page }: Tab, text: string): Promise<void> => {
      await page.locator('#text').fill(text);
      await page.getByRole('button', { name: 'Say' }).click();
    };
    await say(ann, 'Hello <b>Bob</b> ✓');
    await shows(bob, 'Hello <b>Bob</b> ✓');
    await say(bob, 'Hello Ann');
    await shows(ann, 'Hello Ann');
    await bob.context.close();
    await shows(ann, 'Bob has left');
    const late = await visit('a chat', 'Late');
    await shows(late, 'Hello Ann');
    assert.equal(await late.page.locator('li').filter({ hasText: 'Hello' }).count(), 2);
    await ann.context.close();
    await late.context.close();
  });

  test('the table shows rows as they are added, changed and removed, by another page and by SQL', async () => {
    await sql.query(`insert into live_table.task (title) values ('already </script> here')`);
    const one = await visit('a live table');
    const other = await visit('a live table');
    await shows(one, 'already </script> here');
    await one.page.locator('#title').fill('from a page');
    await one.page.getByRole('button', { name: 'Add' }).click();
    await shows(other, 'from a page');
    await sql.query(`insert into live_table.task (title) values ('from SQL')`);
    for (const tab of [one, other]) await shows(tab, 'from SQL');
    const row = (tab: Tab, title: string) => tab.page.locator('tr').filter({ hasText: title });
    await row(other, 'from SQL').getByRole('checkbox').check();
    await one.page.locator('tr.done').filter({ hasText: 'from SQL' }).waitFor();
    const { rows } = await sql.query<{ done: boolean }>(
      `select done from live_table.task where title = 'from SQL'`,
    );
    assert.deepEqual(rows, [{ done: true }]);
    await row(one, 'from a page').getByRole('button').click();
    await row(other, 'from a page').waitFor({ state: 'detached' });
    await sql.query('delete from live_table.task');
    for (const tab of [one, other]) {
      await tab.page.waitForFunction('document.querySelector("tr") === null');
      assert.deepEqual(tab.log, []);
      await tab.context.close();
    }
  });

  test('what cannot be a row is refused', async () => {
    const post = (body: string): Promise<Response> =>
      fetch(`${server.url}/live-table/tasks`, { method: 'POST', body });
    assert.equal((await post('{"title": ""}')).status, 400);
    assert.equal((await post('{}')).status, 400);
    assert.equal((await post('no JSON')).status, 400);
    assert.equal((await fetch(`${server.url}/live-table/tasks`, { method: 'PUT', body: '{}' })).status, 405);
  });
});

test('without them the welcome page says how to have them, and there is nothing of them', async () => {
  using directory = temporaryDirectory();
  await using server = await startServe(['--memory'], { cwd: directory.path });
  const page = await (await fetch(server.url)).text();
  assert.match(page, /howdah serve --memory --examples/);
  assert.doesNotMatch(page, /href="\/chat"/);
});
