import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { HOST, readSettings } from './settings.ts';

// The upper limit of Fastify: it reads the whole request and always responds with the same bytes. By default Fastify
// also parses the request's JSON.
const { FIXED_BYTES_FILE = '', CONTENT_ENCODING, PARSE_JSON } = process.env;
const bytes = readFileSync(FIXED_BYTES_FILE);
const app = Fastify();
if (PARSE_JSON !== 'true') {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}
app.post('/graphql', (_request, reply) => {
  if (CONTENT_ENCODING) reply.header('content-encoding', CONTENT_ENCODING);
  reply.header('content-type', 'application/json; charset=utf-8').send(bytes);
});
await app.listen({ port: readSettings().port, host: HOST });
