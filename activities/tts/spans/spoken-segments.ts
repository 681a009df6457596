/** A stretch of a recording, in seconds. */
export interface Segment {
  startSeconds: number;
  endSeconds: number;
}

export interface SilenceOptions {
  /** Samples below it are silent, dB of full scale. */
  db: number;
  /** Shorter silences are pauses within what is said. */
  seconds: number;
}

/** A click, not speech. */
const shortestSeconds = 0.05;

/**
 * The stretches between silences, as ffmpeg's `silencedetect` finds them: a silence is a run of at least
 * `seconds` in which no sample reaches `db`.
 *
 * @param samples mono, −1…1.
 */
export function spokenSegments(
  samples: Float32Array,
  rate: number,
  { db, seconds }: SilenceOptions,
): Segment[] {
  const limit = 10 ** (db / 20);
  const longestPause = Math.max(1, Math.round(seconds * rate));
  const runs: { start: number; end: number }[] = [];
  let run: { start: number; end: number } | undefined;
  for (let n = 0; n < samples.length; n += 1) {
    if (Math.abs(samples[n] ?? 0) < limit) continue;
    if (run !== undefined && n - run.end < longestPause) run.end = n + 1;
    else {
      run = { start: n, end: n + 1 };
      runs.push(run);
    }
  }
  return runs
    .filter(({ start, end }) => end - start >= shortestSeconds * rate)
    .map(({ start, end }) => ({ startSeconds: start / rate, endSeconds: end / rate }));
}

/**
 * Where a name belongs in a recording without a transcript: `start` takes the place of the first spoken segment,
 * `end` stands behind the last and lasts as long as the recording does.
 *
 * @returns undefined where nothing is said, or where the first segment is all that is said, so that its place
 *   would take everything.
 */
export function spanBySilence(
  samples: Float32Array,
  rate: number,
  position: 'start' | 'end',
  options: SilenceOptions,
): Segment | undefined {
  const segments = spokenSegments(samples, rate, options);
  if (position === 'start') return segments.length > 1 ? segments[0] : undefined;
  const last = segments.at(-1);
  return last && { startSeconds: last.endSeconds, endSeconds: samples.length / rate };
}
