/**
 * Bytes as text: each character is a byte (Latin-1) of the UTF-8 that is sent. Unlike buffers, such texts are cut and joined
 * without being copied, and take no memory outside V8's heap.
 */
export type ByteText = string;

/** A byte text, or a buffer for bytes that stay in memory: those are sent again and again without being copied first. */
export type Bytes = ByteText | Buffer;

/** The UTF-8 of a text. */
export function toByteText(text: string): ByteText {
  const isAscii = Buffer.byteLength(text) === text.length;
  return isAscii ? text : Buffer.from(text).toString('latin1');
}

/** A copy for a cache: not a part of a longer text or of a larger buffer, which would stay in memory with it. */
export function copyBytes(bytes: Bytes): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  if (typeof bytes === 'string') copy.write(bytes, 'latin1');
  else bytes.copy(copy);
  return copy;
}
