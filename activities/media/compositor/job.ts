import type { RenderUnit } from '../composition.js';
import type { StripTime } from './frame-state.js';
import { alignUp, coverPlanes, frameBytes, slack, type Cover, type Overlay, type Plane } from './planes.js';

/** A picture of a job, without its bytes, which lie in the job's memory from `base` on. */
export type PlacedLayer =
  | (Omit<Cover, 'bytes'> & { base: number })
  | (Omit<Overlay, 'bytes'> & { base: number })
  /** Nothing of it shows. */
  | { kind: 'nothing' };

/** What a thread needs to draw all frames of a unit. Offsets are bytes of `memory`. */
export interface ComposeJob {
  memory: WebAssembly.Memory;
  /** 32-bit cells of {@link controlCell}. */
  control: SharedArrayBuffer;
  unit: RenderUnit;
  layers: PlacedLayer[][];
  strips: { picture: PlacedLayer; time: StripTime }[];
  /** Finished frames; the encoder is fed from them. */
  slots: number[];
  /** The two shots of a transition, each a frame. */
  shotFrames: number[];
  /** One blended source row, and the column tables for luma and chroma. */
  scratchRow: number;
  lumaColumns: number;
  chromaColumns: number;
}

export const controlCell = { released: 0, stop: 1 } as const;

/** Bytes of one group of 8 columns in a table; see kernel.as.ts. */
export const groupBytes = 48;

/** A finished frame, to be sent `repeat` times; or the end of the job. */
export type ThreadMessage =
  { kind: 'frame'; slot: number; repeat: number } | { kind: 'done' } | { kind: 'failed'; message: string };

const slotCount = 3;

/** Lays a job's memory out. The returned `pictures` are to be copied to their offsets. */
export function layOutMemory(
  unit: RenderUnit,
  layers: readonly (readonly (Cover | Overlay | undefined)[])[],
  strips: readonly { picture: Overlay | undefined; time: StripTime }[],
) {
  let end = 64;
  const take = (bytes: number): number => {
    const start = end;
    end = alignUp(end + bytes + slack, 64);
    return start;
  };
  const frame = frameBytes(unit.width, unit.height);
  const pictures: { base: number; bytes: Uint8Array }[] = [];
  const place = (picture: Cover | Overlay | undefined): PlacedLayer => {
    if (!picture) return { kind: 'nothing' };
    const { bytes, ...rest } = picture;
    const base = take(bytes.length);
    pictures.push({ base, bytes });
    return { ...rest, base };
  };
  const columns = take(alignUp(unit.width, 16) * (groupBytes / 8) + groupBytes * 2);
  const job: Omit<ComposeJob, 'memory' | 'control'> = {
    unit,
    slots: Array.from({ length: slotCount }, () => take(frame)),
    shotFrames: unit.shots.length > 1 ? unit.shots.map(() => take(frame)) : [],
    lumaColumns: columns,
    chromaColumns: take(alignUp(unit.width / 2, 16) * (groupBytes / 8) + groupBytes * 2),
    scratchRow: take(coverPlanes(unit.width * 2, 2).planes[0].stride + slack),
    layers: layers.map((shot) => shot.map(place)),
    strips: strips.map(({ picture, time }) => ({ picture: place(picture), time })),
  };
  return { job, bytes: end, pictures };
}

/** Planes of a packed frame: luma, then two of half its sides. */
export function packedPlanes(width: number, height: number): [Plane, Plane, Plane] {
  const half = { width: width / 2, height: height / 2, stride: width / 2 };
  return [
    { offset: 0, width, height, stride: width },
    { offset: width * height, ...half },
    { offset: (width * height * 5) / 4, ...half },
  ];
}
