const POLYNOMIAL = 0xed_b8_83_20;
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/**
 * CRC-32 (IEEE 802.3) of ASCII text. `node:zlib` has it too, but for the 52 characters of a token the way there and back
 * costs several times the sum.
 */
export function crc32(text: string): number {
  let rest = -1;
  for (let at = 0; at < text.length; at += 1)
    rest = (TABLE[(rest ^ text.charCodeAt(at)) & 0xff] ?? 0) ^ (rest >>> 8);
  return (rest ^ -1) >>> 0;
}
