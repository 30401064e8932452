// News as server-sent events: howdah serve examples/news.ts, then open http://localhost:8080 in two windows
//
// What is posted is told through the database: to the readers of every process, and of every node. A reader that lost its connection
// gets what it has missed.
import { application, nonempty, readForm, route, sse } from 'howdah';

const page = `<!doctype html>
<meta charset="utf-8">
<title>News</title>
<form method="post" action="/news" target="none"><input name="text" autofocus><button>Tell</button></form>
<iframe name="none" hidden></iframe>
<ul></ul>
<script>
  const news = new EventSource('/news');
  news.addEventListener('headline', ({ data }) => {
    const item = document.createElement('li');
    item.textContent = JSON.parse(data).text;
    document.querySelector('ul').prepend(item);
  });
</script>
`;

export default application({
  routes: [
    route('GET /', () => new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } })),

    route(
      'GET /news',
      sse((stream) => void stream.follow('news')),
    ),

    route('POST /news', async (request, { events }) => {
      const text = nonempty((await readForm(request)).get('text') ?? '');
      if (text === undefined) return new Response('there is no text\n', { status: 400 });
      await events.publish('news', 'headline', { text });
      return new Response(null, { status: 204 });
    }),

    // The time, once a second, for as long as somebody listens.
    route(
      'GET /clock',
      sse(async function* (stream) {
        yield { retry: 1000 };
        while (!stream.signal.aborted) {
          yield { event: 'time', data: new Date().toISOString() };
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
      }),
    ),
  ],
});
