import { type Reference } from './reference.js';
import { featureSize } from './speech-features.js';

/** Weight of staying as it is, in frames. */
const inertia = 20;

/**
 * Bends a reference towards a recorded voice by the linear map that fits best over an alignment (ridge
 * regression, drawn towards identity).
 * Source: C. Leggetter and P. Woodland, "Maximum likelihood linear regression for speaker adaptation" (1995).
 *
 * @param path row of the reference for each recorded frame, −1 where the frame says nothing of the voice.
 */
export function adapted(reference: Reference, recorded: Float32Array, path: Int32Array): Reference {
  const inputs = featureSize + 1;
  // Normal equations [XᵀX | XᵀY], solved in place.
  const width = inputs + featureSize;
  const system = new Float64Array(inputs * width);
  const input = new Float64Array(inputs).fill(1);
  for (const [frame, row] of path.entries()) {
    if (row < 0) continue;
    input.set(reference.rows.subarray(row * featureSize, (row + 1) * featureSize));
    for (let i = 0; i < inputs; i += 1) {
      const x = input[i] ?? 0;
      for (let j = 0; j < inputs; j += 1) add(system, i * width + j, x * (input[j] ?? 0));
      for (let k = 0; k < featureSize; k += 1) {
        add(system, i * width + inputs + k, x * (recorded[frame * featureSize + k] ?? 0));
      }
    }
  }
  for (let i = 0; i < inputs; i += 1) {
    add(system, i * width + i, i < featureSize ? inertia : 1);
    if (i < featureSize) add(system, i * width + inputs + i, inertia);
  }
  eliminate(system, inputs, width);
  return { ...reference, rows: mapped(reference.rows, system, inputs, width) };
}

const add = (values: Float64Array, at: number, amount: number) => {
  values[at] = (values[at] ?? 0) + amount;
};

/** Gauss-Jordan; the matrix is symmetric and positive definite, so no pivot is looked for. */
function eliminate(system: Float64Array, size: number, width: number): void {
  for (let column = 0; column < size; column += 1) {
    const pivot = system[column * width + column] ?? 1;
    for (let k = column; k < width; k += 1) {
      system[column * width + k] = (system[column * width + k] ?? 0) / pivot;
    }
    for (let row = 0; row < size; row += 1) {
      const factor = system[row * width + column] ?? 0;
      if (row === column || factor === 0) continue;
      for (let k = column; k < width; k += 1) {
        add(system, row * width + k, -factor * (system[column * width + k] ?? 0));
      }
    }
  }
}

function mapped(rows: Float32Array, system: Float64Array, inputs: number, width: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let row = 0; row < rows.length; row += featureSize) {
    for (let k = 0; k < featureSize; k += 1) {
      let sum = system[featureSize * width + inputs + k] ?? 0;
      for (let i = 0; i < featureSize; i += 1) {
        sum += (rows[row + i] ?? 0) * (system[i * width + inputs + k] ?? 0);
      }
      out[row + k] = sum;
    }
  }
  return out;
}
