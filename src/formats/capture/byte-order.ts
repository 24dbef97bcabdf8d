/** Numbers from bytes, network order (be) or the other (le); 32-bit ones unsigned. The caller checks the bounds. */
export const be16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!;
export const le16 = (b: Uint8Array, at: number): number => (b[at + 1]! << 8) | b[at]!;
export const be32 = (b: Uint8Array, at: number): number =>
  ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
export const le32 = (b: Uint8Array, at: number): number =>
  ((b[at + 3]! << 24) | (b[at + 2]! << 16) | (b[at + 1]! << 8) | b[at]!) >>> 0;
