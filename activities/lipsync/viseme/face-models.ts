import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type * as FaceApi from '@vladmandic/face-api';

/** Pixels of a side of the square picture in which landmarks are found; what the network was trained on. */
export const landmarkSide = 112;
const landmarkCount = 68;
/** Faces less sure than this are not taken for faces. */
const leastScore = 0.5;

/** Packed RGB, 8 bits a sample. */
export interface RgbPicture {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Pixels of the picture in which it was found. */
export interface FaceBox {
  x: number;
  y: number;
  width: number;
  height: number;
  /** 0–1. */
  score: number;
}

export interface FaceModels {
  findFaces(picture: RgbPicture): Promise<FaceBox[]>;
  /**
   * The 68 landmarks (iBUG 300-W numbering) in square pictures of a face, {@link landmarkSide} pixels a side.
   * @returns for each picture x and y of each landmark in turn, in pixels of it.
   */
  findLandmarks(pictures: readonly Uint8Array[]): Promise<Float64Array[]>;
}

let loading: Promise<FaceModels> | undefined;

/**
 * The detector (SSD MobileNet v1) and the landmark network of `@vladmandic/face-api`, on TensorFlow.js' WebAssembly
 * backend: CPU only, everything from the packages' own folders. Loaded once; meant for a thread of its own,
 * because finding a face keeps the thread busy for a third of a second.
 */
export function loadFaceModels(): Promise<FaceModels> {
  loading ??= load();
  return loading;
}

async function load(): Promise<FaceModels> {
  // The builds for Node are CommonJS, and the package's main one wants a native TensorFlow.
  const require = createRequire(import.meta.url);
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  const faces = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as typeof FaceApi;
  const tf = faces.tf as unknown as Tensors;
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  if (!(await tf.setBackend('wasm')))
    throw new Error('the WebAssembly backend of TensorFlow.js does not start');
  await tf.ready();
  const folder = join(dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
  const { ssdMobilenetv1, faceLandmark68Net } = faces.nets;
  await ssdMobilenetv1.loadFromDisk(folder);
  await faceLandmark68Net.loadFromDisk(folder);
  const options = new faces.SsdMobilenetv1Options({ minConfidence: leastScore, maxResults: 20 });

  return {
    async findFaces({ data, width, height }) {
      const picture = tf.tensor3d(data, [height, width, 3], 'int32');
      try {
        const found = await ssdMobilenetv1.locateFaces(picture, options);
        return found.map(({ box, score }) => ({
          x: box.x,
          y: box.y,
          width: box.width,
          height: box.height,
          score,
        }));
      } finally {
        picture.dispose();
      }
    },
    async findLandmarks(pictures) {
      const inputs = pictures.map((data) => tf.tensor3d(data, [landmarkSide, landmarkSide, 3], 'int32'));
      try {
        const output = await faceLandmark68Net.forward(inputs);
        const values = output.dataSync();
        output.dispose();
        return pictures.map((_picture, n) =>
          Float64Array.from(
            values.subarray(n * landmarkCount * 2, (n + 1) * landmarkCount * 2),
            (value) => value * landmarkSide,
          ),
        );
      } finally {
        for (const input of inputs) input.dispose();
      }
    },
  };
}

/** The part of TensorFlow.js that is used here, as the packages' own types name another copy of it. */
interface Tensors {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor3d(data: Uint8Array, shape: [number, number, number], type: 'int32'): FaceApi.tf.Tensor3D;
}
