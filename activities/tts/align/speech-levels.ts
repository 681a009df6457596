/** What is loud and what is quiet in a recording, dB of full scale. */
export interface SpeechLevels {
  peakDb: number;
  floorDb: number;
  /** Below it a moment is a pause, or the closure of a consonant. */
  quietDb: number;
}

/** Levels of a recording from those of its frames, at most 50 dB apart. */
export function speechLevels(levelsDb: Float32Array): SpeechLevels {
  const sorted = levelsDb.slice().sort();
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const peakDb = quantile(0.95);
  const floorDb = Math.max(peakDb - 50, quantile(0.05));
  const middle = floorDb + 0.35 * (peakDb - floorDb);
  return { peakDb, floorDb, quietDb: Math.max(peakDb - 35, Math.min(middle, peakDb - 20)) };
}

/** Numbers of the frames that are not quiet. */
export function soundingFrames(levelsDb: Float32Array, { quietDb }: SpeechLevels): number[] {
  return [...levelsDb.keys()].filter((frame) => (levelsDb[frame] ?? -Infinity) > quietDb);
}
