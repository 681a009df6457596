import { ProblemError } from './errors.js';

/**
 * What a type's own checks refuse, as `POST /jobs` names it: the typed addresses have the parameters as their body,
 * there they are one level deeper.
 */
export async function belowParameters<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.errors === undefined) throw error;
    const errors = error.errors.map(({ path, message }) => ({
      path: path.replace(/^body\./, 'body.parameters.'),
      message,
    }));
    throw new ProblemError(error.code, { errors, detail: error.message, cause: error });
  }
}
