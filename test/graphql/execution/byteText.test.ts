import { expect, it } from '@jest/globals';
import { copyBytes } from '../../../src/graphql/execution/byteText.ts';
import { compress } from '../../../src/server/responses/encoding.ts';

it.each(['a text', Buffer.from('a text of Node’s shared memory')])(
  'a copy of %p takes no more memory than its bytes',
  (bytes) => {
    const copy = copyBytes(bytes);
    expect(copy.equals(Buffer.from(bytes))).toBe(true);
    expect(copy.buffer.byteLength).toBe(copy.length);
  },
);

it('a compressed body takes no more memory than its bytes', async () => {
  for (const encoding of ['br', 'gzip'] as const) {
    const compressed = await compress('x'.repeat(2000), encoding);
    expect(compressed.buffer.byteLength).toBe(compressed.length);
  }
});
