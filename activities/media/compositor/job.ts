import type { Area, CaptionShow, RenderUnit } from '../composition.js';
import type { StripTime } from './frame-state.js';
import { alignUp, coverPlanes, frameBytes, slack, type Cover, type Overlay, type Plane } from './planes.js';

/** A picture of a job, without its bytes, which lie in the job's memory from `base` on. */
export type PlacedLayer =
  | (Omit<Cover, 'bytes'> & { base: number })
  | (Omit<Overlay, 'bytes'> & { base: number })
  /** Nothing of it shows. */
  | { kind: 'nothing' };

/** A caption strip, and which parts of it are taken from where when it shows. */
export interface PlacedStrip {
  picture: PlacedLayer;
  /** The same planes in other colours. */
  marked: PlacedLayer;
  /** Bytes of either. */
  bytes: number;
  areas: readonly Area[];
  time: StripTime;
}

/** What a thread needs to draw all frames of a unit. Offsets are bytes of `memory`. */
export interface ComposeJob {
  memory: WebAssembly.Memory;
  /** One 32-bit cell, not 0 when the job is called off. */
  control: SharedArrayBuffer;
  /** Blocking descriptor that takes the frames; null: they are sent as messages. */
  fd: number | null;
  unit: RenderUnit;
  layers: PlacedLayer[][];
  strips: PlacedStrip[];
  /** Room for a strip in which the marked parts have been put. */
  stripCopy: number;
  /** The finished frame. */
  frame: number;
  /** The two shots of a transition, each a frame. */
  shotFrames: number[];
  /** One blended source row, and the column tables for luma and chroma. */
  scratchRow: number;
  lumaColumns: number;
  chromaColumns: number;
}

/** A job but for where it runs. */
export type ComposeLayout = Omit<ComposeJob, 'memory' | 'control' | 'fd'>;

/** Bytes of one group of 8 columns in a table; see kernel.as.ts. */
export const groupBytes = 48;

export type ThreadMessage =
  | { kind: 'frame'; bytes: Uint8Array }
  /** Frames written so far. */
  | { kind: 'written'; frames: number }
  | { kind: 'done' }
  /** The error crosses threads as a copy, which has no code of its own. */
  | { kind: 'failed'; error: unknown; code: string | undefined };

/** Lays a job's memory out. The returned `pictures` are to be copied to their offsets. */
export function layOutMemory(
  unit: RenderUnit,
  layers: readonly (readonly (Cover | Overlay | undefined)[])[],
  strips: readonly {
    picture: Overlay | undefined;
    marked: Overlay | undefined;
    shows: readonly CaptionShow[];
  }[],
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
  const job: ComposeLayout = {
    unit,
    frame: take(frame),
    shotFrames: unit.shots.length > 1 ? unit.shots.map(() => take(frame)) : [],
    lumaColumns: columns,
    chromaColumns: take(alignUp(unit.width / 2, 16) * (groupBytes / 8) + groupBytes * 2),
    scratchRow: take(coverPlanes(unit.width * 2, 2).planes[0].stride + slack),
    layers: layers.map((shot) => shot.map(place)),
    strips: strips.flatMap(({ picture, marked, shows }) => {
      const placed = { picture: place(picture), marked: place(marked), bytes: picture?.bytes.length ?? 0 };
      return shows.map(({ areas, ...time }) => ({ ...placed, areas, time }));
    }),
    stripCopy: take(Math.max(0, ...strips.map(({ picture }) => picture?.bytes.length ?? 0))),
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
