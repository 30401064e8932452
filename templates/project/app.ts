// The application: routes in TypeScript. Those in SQL are in sql/. Both are served by `npm run dev`.
import { readFile } from 'node:fs/promises';
import { application, int, route } from 'howdah';

interface Note {
  readonly id: number;
  readonly text: string;
}

const page = new URL('public/index.html', import.meta.url);

export default application({
  routes: [
    route('GET /', async () => {
      return new Response(await readFile(page), { headers: { 'content-type': 'text/html; charset=utf-8' } });
    }),

    route('GET /notes', async (_request, { db }) => {
      return Response.json(await db<Note>`select id, text from note order by id`);
    }),

    route('POST /notes', async (request, { db }) => {
      const text = (await request.text()).trim();
      if (text === '') return new Response('a note has a text\n', { status: 400 });
      const [note] = await db<Note>`insert into note (text) values (${text}) returning id, text`;
      return Response.json(note, { status: 201 });
    }),

    route('GET /notes/:id', { constraints: { id: int } }, async (_request, { bindings, db }) => {
      const [note] = await db<Note>`select id, text from note where id = ${bindings.id}`;
      return note === undefined ? new Response('no such note\n', { status: 404 }) : Response.json(note);
    }),
  ],
});
