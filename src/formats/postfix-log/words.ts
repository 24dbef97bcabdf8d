/** Which of a fixed set of words some bytes are, without making a string of them. */
export class Words {
  private readonly slots: ({ bytes: Uint8Array; value: number } | undefined)[];

  /** @param values  a number above 0 for each word */
  constructor(values: Record<string, number>) {
    this.slots = new Array(256);
    for (const [word, value] of Object.entries(values)) {
      const bytes = Buffer.from(word);
      let at = slotOf(bytes, 0, bytes.length);
      while (this.slots[at] !== undefined) at = (at + 1) & 255;
      this.slots[at] = { bytes, value };
    }
  }

  /** The number of the word in [start, end), or 0. */
  find(b: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length <= 0) return 0;
    for (let at = slotOf(b, start, end); ; at = (at + 1) & 255) {
      const slot = this.slots[at];
      if (slot === undefined) return 0;
      const { bytes } = slot;
      if (bytes.length !== length) continue;
      let k = 0;
      while (k < length && b[start + k] === bytes[k]) k++;
      if (k === length) return slot.value;
    }
  }
}

function slotOf(b: Uint8Array, start: number, end: number): number {
  return (b[start]! * 7 + b[end - 1]! * 31 + b[(start + end) >> 1]! * 13 + (end - start)) & 255;
}
