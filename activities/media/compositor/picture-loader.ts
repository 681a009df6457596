import sharp from 'sharp';
import type { ArtifactId } from '../../../workflows/contract/documents.js';
import type { ArtifactStore } from '../../artifacts.js';
import { invalidInput } from '../../failures.js';
import { convertCover, convertOverlay } from './converter.js';
import { movingScale } from './motion.js';
import type { Cover, Overlay } from './planes.js';
import type { Layer } from '../composition.js';

/** Prepared pictures kept for the units beside: every picture shows in a scene and in up to two transitions. */
const keptBytes = 64 * 1024 * 1024;
/** More than any picture that can be shown well; a small file can claim a gigabyte of pixels. */
const maxPixels = 8192 * 8192;

interface Frame {
  width: number;
  height: number;
}

/** Reads, scales and converts pictures, each once while it is among the latest. */
export interface PictureLoader {
  /** Undefined when nothing of the layer can be seen. @throws ApplicationFailure `bad_picture` */
  load(layer: Layer, frame: Frame): Promise<Cover | Overlay | undefined>;
}

export function createPictureLoader(artifacts: Pick<ArtifactStore, 'fetch'>): PictureLoader {
  const latest = new Map<string, Promise<Cover | Overlay | undefined>>();
  const sizes = new Map<string, number>();

  const trim = () => {
    let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [key, bytes] of sizes) {
      if (total <= keptBytes) break;
      total -= bytes;
      sizes.delete(key);
      latest.delete(key);
    }
  };

  return {
    load(layer, frame) {
      const { artifact, fit, motion, position } = layer;
      const key = JSON.stringify([artifact, fit, motion.kind, position, frame.width, frame.height]);
      const known = latest.get(key);
      if (known) {
        latest.delete(key);
        latest.set(key, known);
        return known;
      }
      const loading = prepare(artifacts, layer, frame);
      latest.set(key, loading);
      loading.then(
        (picture) => {
          sizes.set(key, picture?.bytes.length ?? 0);
          trim();
        },
        () => {
          latest.delete(key);
        },
      );
      return loading;
    },
  };
}

async function prepare(
  artifacts: Pick<ArtifactStore, 'fetch'>,
  layer: Layer,
  frame: Frame,
): Promise<Cover | Overlay | undefined> {
  const path = await artifacts.fetch(layer.artifact);
  return layer.fit === 'cover' ? await loadCover(path, layer, frame) : await loadOverlay(path, layer, frame);
}

async function loadCover(path: string, layer: Layer, frame: Frame): Promise<Cover> {
  const scale = layer.motion.kind === 'none' ? 1 : movingScale;
  const even = (value: number) => Math.round((value * scale) / 2) * 2;
  const [width, height] = [even(frame.width), even(frame.height)];
  const { data, info } = await decoded(layer.artifact, () =>
    sharp(path, { limitInputPixels: maxPixels, failOn: 'error' })
      .rotate()
      .flatten({ background: '#000000' })
      .resize(width, height, { fit: 'cover' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true }),
  );
  if (info.channels !== 3) throw badPicture(layer.artifact);
  return convertCover(data, width, height);
}

async function loadOverlay(path: string, layer: Layer, frame: Frame): Promise<Overlay | undefined> {
  const { data, info } = await decoded(layer.artifact, () =>
    sharp(path, { limitInputPixels: maxPixels, failOn: 'error' })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = info;
  return convertOverlay({ ...layer.position, width, height, rgba: data }, frame);
}

async function decoded<T>(artifact: ArtifactId, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw badPicture(artifact, error);
  }
}

function badPicture(artifact: ArtifactId, cause?: unknown) {
  return invalidInput({ code: 'bad_picture', detail: `The picture ${artifact} cannot be read.`, cause });
}
