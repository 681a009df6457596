import type { Layer, RenderUnit } from '../composition.js';
import { eased, viewAt, type View } from './motion.js';

/** One layer as it shows on one frame. `layer` indexes the shot's layers. */
export type ShownLayer =
  | { kind: 'cover'; layer: number; view: View }
  /** `fade` is 0–256. */
  | { kind: 'overlay'; layer: number; fade: number };

/** Everything that decides the pixels of one frame: equal states are equal pictures. */
export interface FrameState {
  shots: ShownLayer[][];
  /** How far the second shot has come in, 0–1; 0 when there is one. */
  mix: number;
  /** Index of the caption strip that shows, or −1. */
  strip: number;
}

/** When a caption strip shows, in frames of the unit. */
export interface StripTime {
  firstFrame: number;
  frames: number;
}

/** State of frame `frame` of a unit. */
export function frameState(unit: RenderUnit, strips: readonly StripTime[], frame: number): FrameState {
  return {
    shots: unit.shots.map((shot) => {
      const sceneFrame = shot.offset + frame;
      const progress = shot.sceneFrames > 1 ? sceneFrame / (shot.sceneFrames - 1) : 0;
      return shot.layers.flatMap((layer, index) => shown(layer, index, sceneFrame, progress));
    }),
    mix: unit.shots.length > 1 ? eased((frame + 1) / (unit.frames + 1)) : 0,
    strip: strips.findIndex((s) => frame >= s.firstFrame && frame < s.firstFrame + s.frames),
  };
}

function shown(layer: Layer, index: number, sceneFrame: number, progress: number): ShownLayer[] {
  if (sceneFrame < layer.inFrame) return [];
  if (layer.fit === 'cover') return [{ kind: 'cover', layer: index, view: viewAt(layer.motion, progress) }];
  const step = (sceneFrame - layer.inFrame + 1) / (layer.fadeInFrames + 1);
  return [{ kind: 'overlay', layer: index, fade: Math.round(256 * eased(Math.min(1, step))) }];
}
