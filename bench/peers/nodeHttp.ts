import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { HOST, readSettings } from './settings.ts';

// The upper limit of this machine: reads the whole request and always responds with the same bytes.
const bytes = readFileSync(process.env.FIXED_BYTES_FILE ?? '');
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length };
createServer((request, response) => {
  request.on('end', () => response.writeHead(200, headers).end(bytes)).resume();
}).listen(readSettings().port, HOST);
