/**
 * How a frame fades out into the next one. A decoder adds the two, and what each of them folded back cancels
 * only if the next one fades in along the same curve.
 */
export interface WindowTail {
  slope: 'long' | 'short';
  /** 0 is a sine, 1 Kaiser-Bessel derived. */
  shape: number;
}

const [singleChannel, channelPair, dataStream, fill] = [0, 1, 4, 6];
/** Of the four window sequences these two end in a short slope: LONG_START and EIGHT_SHORT. */
const [longStart, eightShort] = [1, 2];

/**
 * Reads the end of a frame's window, of both channels. Source: ISO/IEC 13818-7, 6.3 (raw_data_block, ics_info).
 * @returns null where the channels' windows differ or stand behind something that is not read here.
 */
export function windowTail(frame: Buffer): WindowTail | null {
  const bits = bitReader(frame);
  for (let element = bits(3); ; element = bits(3)) {
    if (element === fill) skipFill(bits);
    else if (element === dataStream) skipData(bits);
    else if (element === singleChannel || element === channelPair) {
      bits(4);
      if (element === channelPair && bits(1) === 0) return null;
      // The gain of a channel stands in front of its own window, but behind a common one.
      if (element === singleChannel) bits(8);
      bits(1);
      const sequence = bits(2);
      const shape = bits(1);
      return { slope: sequence === longStart || sequence === eightShort ? 'short' : 'long', shape };
    } else return null;
  }
}

/** True if one frame may take the other's place in front of a third. */
export function fadesOutLike(one: Buffer, other: Buffer): boolean {
  const [a, b] = [windowTail(one), windowTail(other)];
  if (a === null || b === null) return one.equals(other);
  return a.slope === b.slope && a.shape === b.shape;
}

type Bits = ReturnType<typeof bitReader>;

/** Zeros beyond the end, which no element that is read here is made of. */
function bitReader(bytes: Buffer) {
  let at = 0;
  const read = (count: number): number => {
    let value = 0;
    for (let left = count; left > 0; left -= 1, at += 1) {
      value = (value << 1) | (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
  return Object.assign(read, {
    skip(count: number) {
      at += count;
    },
    align() {
      at = (at + 7) & ~7;
    },
  });
}

function skipFill(bits: Bits): void {
  const count = bits(4);
  bits.skip(8 * (count === 15 ? 14 + bits(8) : count));
}

function skipData(bits: Bits): void {
  bits(4);
  const isAligned = bits(1) === 1;
  const count = bits(8);
  const bytes = count === 255 ? 255 + bits(8) : count;
  if (isAligned) bits.align();
  bits.skip(8 * bytes);
}
