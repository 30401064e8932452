// The smallest application: howdah serve examples/hello.ts
import { application, route } from 'howdah';

export default application({
  routes: [
    route('GET /', () => new Response('Hello, world!\n')),
    route('GET /hello/:name', (_request, { bindings }) => new Response(`Hello, ${bindings.name}!\n`)),
  ],
});
