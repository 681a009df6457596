import type { Motion } from '../../../workflows/contract/options.js';

/** What part of a picture shows, as fractions of its width and height. */
export interface View {
  left: number;
  top: number;
  /** Of both sides: the picture has the frame's proportions. */
  size: number;
}

const wholeView: View = { left: 0, top: 0, size: 1 };

/** How much larger than life a motion makes the picture at its nearest. */
const nearest = 1.08;

/** Pictures that move are kept this much larger than the frame, so that they are never enlarged. */
export const movingScale = 1.1;

/**
 * View of a picture at `progress` (0–1) of its scene. All edges move at a constant speed, from the whole
 * picture to a part of it or back; `seed` chooses direction and part.
 */
export function viewAt(motion: { kind: Motion; seed: number }, progress: number): View {
  switch (motion.kind) {
    case 'none':
      return wholeView;
    case 'kenburns': {
      const angle = ((motion.seed >>> 1) % 360) * (Math.PI / 180);
      const isApproaching = (motion.seed & 1) === 0;
      const amount = isApproaching ? progress : 1 - progress;
      const margin = 1 - 1 / nearest;
      const near = {
        left: (margin / 2) * (1 + 0.8 * Math.cos(angle)),
        top: (margin / 2) * (1 + 0.8 * Math.sin(angle)),
      };
      return { left: near.left * amount, top: near.top * amount, size: 1 - margin * amount };
    }
  }
}

/** Starts and ends at rest. Source: Hermite smoothstep. */
export const eased = (progress: number): number => progress * progress * (3 - 2 * progress);
