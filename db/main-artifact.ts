/** The most telling first: captions are downloaded as VTT rather than as their timed words. */
const mainKinds = ['video', 'archive', 'vtt', 'script', 'content'];

/** What a job is for, of all that it made; undefined for a stage that makes a file for each scene. */
export function mainArtifact<T extends { kind: string }>(artifacts: readonly T[]): T | undefined {
  for (const kind of mainKinds) {
    const found = artifacts.find((artifact) => artifact.kind === kind);
    if (found !== undefined) return found;
  }
  return undefined;
}
