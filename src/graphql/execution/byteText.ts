/**
 * Bytes as text: each character is a byte (Latin-1) of the UTF-8 that is sent. Unlike buffers, such texts are cut and joined
 * without being copied, take no memory outside V8's heap, and are written together with the head of their response.
 */
export type ByteText = string;

/** The UTF-8 of a text. */
export function toByteText(text: string): ByteText {
  const isAscii = Buffer.byteLength(text) === text.length;
  return isAscii ? text : Buffer.from(text).toString('latin1');
}

/** A copy, without the longer texts that `text` was cut from, which it would keep in memory. */
export function copyByteText(text: ByteText): ByteText {
  return Buffer.from(text, 'latin1').toString('latin1');
}
