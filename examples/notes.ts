// Notes as REST resources, kept in memory: howdah serve examples/notes.ts
//
//   GET, POST         /notes      a list; POST makes one and says where it is
//   GET, PUT, DELETE  /notes/:id  in plain text or JSON, with conditional requests
import { createHash } from 'node:crypto';
import { application, int, readJson, rest, route } from 'howdah';

const notes = new Map<number, string>();
let last = 0;

const noteOf = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && 'note' in value && typeof value.note === 'string'
    ? value.note
    : undefined;

export default application({
  routes: [
    route(
      '/notes',
      rest({
        provides: {
          'application/json': () => JSON.stringify(Array.from(notes, ([id, note]) => ({ id, note }))),
        },
        allowedMethods: ['GET', 'HEAD', 'POST', 'OPTIONS'],
        accepts: {
          'text/plain': async (request) => {
            notes.set(++last, await request.text());
            return { created: `/notes/${last}` };
          },
        },
      }),
    ),

    route(
      '/notes/:id',
      { constraints: { id: int } },
      rest<{ id: number }>({
        allowedMethods: ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'],
        resourceExists: (_request, { bindings }) => notes.has(bindings.id),
        etag: (_request, { bindings }) =>
          `"${createHash('sha256')
            .update(notes.get(bindings.id) ?? '')
            .digest('base64url')}"`,
        provides: {
          'text/plain': (_request, { bindings }) => notes.get(bindings.id),
          'application/json': (_request, { bindings }) => JSON.stringify({ note: notes.get(bindings.id) }),
        },
        accepts: {
          'text/plain': async (request, { bindings }) => {
            notes.set(bindings.id, await request.text());
            return true;
          },
          'application/json': async (request, { bindings }) => {
            const note = noteOf(await readJson(request));
            if (note === undefined) return false;
            notes.set(bindings.id, note);
            return true;
          },
        },
        deleteResource: (_request, { bindings }) => notes.delete(bindings.id),
      }),
    ),
  ],
});
