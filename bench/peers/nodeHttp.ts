import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { HOST, readSettings } from './settings.ts';

// The limit of this machine: the request is read to its end, the answer is always the same bytes.
const bytes = readFileSync(process.env.FIXED_BYTES_FILE ?? '');
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length };
createServer((request, response) => {
  request.on('end', () => response.writeHead(200, headers).end(bytes)).resume();
}).listen(readSettings().port, HOST);
