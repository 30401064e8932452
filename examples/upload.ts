// Files of any size to a directory: howdah serve examples/upload.ts, then open http://localhost:8080
//
// Each file is written as it comes, with flat memory; one that is too large, or cut off, leaves nothing behind.
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { application, multipart, route } from 'howdah';

const directory = process.env['UPLOADS'] ?? 'uploads';
const GIGABYTE = 1_000_000_000;

const page = `<!doctype html>
<meta charset="utf-8">
<title>Upload</title>
<form method="post" action="/upload" enctype="multipart/form-data">
  <input type="file" name="file" multiple>
  <button>Upload</button>
</form>
`;

export default application({
  routes: [
    route('GET /', () => new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } })),

    route('POST /upload', { maxBodyBytes: 4 * GIGABYTE, timeoutMs: Infinity }, async (request) => {
      await mkdir(directory, { recursive: true });
      const saved: { name: string; file: string; bytes: number }[] = [];
      for await (const part of multipart(request, { maxPartBytes: 2 * GIGABYTE })) {
        if (part.filename === null || part.filename === '') continue;
        // The name is the client's choice: it is told, not used.
        const file = randomUUID();
        const bytes = await part.save(join(directory, file), {
          onProgress: ({ bytes: done, totalBytes }) => {
            if (process.env['PROGRESS'] !== undefined)
              console.log(`${part.filename}: ${done} of ${totalBytes}`);
          },
        });
        saved.push({ name: part.filename, file, bytes });
      }
      return Response.json(saved, { status: 201 });
    }),
  ],
});
