/** A box of an MP4 that is held in memory. Source of all boxes here: ISO/IEC 14496-12. */
export interface Box {
  name: string;
  /** What stands after size and name. */
  body: Buffer;
}

/** The boxes of a container's body, in order. @throws Error for a box that is cut off. */
export function boxesOf(container: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= container.length;) {
    const bytes = container.readUInt32BE(at);
    // Sizes beyond 32 bits occur at the top level only, which is not held in memory.
    if (bytes < 8 || at + bytes > container.length) throw new Error('a box is cut off');
    boxes.push({
      name: container.toString('latin1', at + 4, at + 8),
      body: container.subarray(at + 8, at + bytes),
    });
    at += bytes;
  }
  return boxes;
}

/** Body of the first box of a name. @throws Error when there is none. */
export function childOf(container: Buffer, name: string): Buffer {
  const body = optionalChildOf(container, name);
  if (body === undefined) throw new Error(`there is no ${name}`);
  return body;
}

export function optionalChildOf(container: Buffer, name: string): Buffer | undefined {
  return boxesOf(container).find((box) => box.name === name)?.body;
}

/** A whole box. */
export function box(name: string, ...body: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.reduce((sum, part) => sum + part.length, 0), 0);
  head.write(name, 4, 'latin1');
  return Buffer.concat([head, ...body]);
}

/** A box with version and flags in front of 32-bit unsigned values. */
export function tableBox(name: string, values: readonly number[], version = 0): Buffer {
  const body = Buffer.alloc(4 + values.length * 4);
  body.writeUInt8(version, 0);
  values.forEach((value, index) => body.writeUInt32BE(value >>> 0, 4 + index * 4));
  return box(name, body);
}

/**
 * Where time stands in a header whose version 1 has 64-bit times: `mvhd`, `mdhd` and `tkhd` begin with two
 * times, which move what follows.
 */
export function headerLayout(header: Buffer, name: 'mvhd' | 'mdhd' | 'tkhd') {
  const isLong = header.readUInt8(0) === 1;
  const afterTimes = isLong ? 20 : 12;
  // A track's header has its id and four reserved bytes where the others have their time scale.
  const durationAt = afterTimes + (name === 'tkhd' ? 8 : 4);
  return { isLong, timescaleAt: afterTimes, durationAt };
}

export function readDuration(header: Buffer, name: 'mvhd' | 'mdhd' | 'tkhd'): number {
  const { isLong, durationAt } = headerLayout(header, name);
  return isLong ? Number(header.readBigUInt64BE(durationAt)) : header.readUInt32BE(durationAt);
}

/** A copy of the header with another duration, in the header's own time scale. */
export function withDuration(header: Buffer, name: 'mvhd' | 'mdhd' | 'tkhd', duration: number): Buffer {
  const { isLong, durationAt } = headerLayout(header, name);
  const copy = Buffer.from(header);
  if (isLong) copy.writeBigUInt64BE(BigInt(duration), durationAt);
  else copy.writeUInt32BE(duration, durationAt);
  return copy;
}
