// PostGraphile over the same table: a look-up by key as a GraphQL query.
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { announceReady, benchPort } from '../servers/announce.ts';

const { PGHOST, PGUSER, PGDATABASE } = process.env;
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: `postgres://${PGUSER}@localhost/${PGDATABASE}?host=${PGHOST}`,
      schemas: ['public'],
    }),
  ],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(benchPort(), '127.0.0.1', () => announceReady());
