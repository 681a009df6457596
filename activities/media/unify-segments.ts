import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transientFailure } from '../failures.js';
import { runFfmpeg, type FfmpegTools } from './ffmpeg/run.js';
import { reencodeArguments } from './ffmpeg/segment-command.js';

interface Format {
  width: number;
  height: number;
  fps: number;
}

/**
 * Joined segments are read with the parameter sets of the first, so all must have the same ones. Segments of
 * hosts with different encoders have not; those are encoded once more here, in high quality, so that such a
 * video is late instead of impossible.
 * @param dir folder for the new files.
 * @returns paths in the same order.
 * @throws ApplicationFailure `video_broken` when a segment is no H.264 of ours.
 */
export async function unifySegments(
  tools: FfmpegTools,
  paths: readonly string[],
  format: Format,
  dir: string,
  signal: AbortSignal,
): Promise<string[]> {
  const sets: string[] = [];
  for (const path of paths) sets.push(await parameterSets(path));
  const [first] = sets;
  const odd = sets.findIndex((set) => set !== first);
  if (odd < 0) return [...paths];
  const again = async (index: number) => {
    const target = join(dir, `unified-${index}.mp4`);
    await runFfmpeg(tools, {
      args: reencodeArguments(format, paths[index] ?? '', target),
      timeoutMs: 3_600_000,
      signal,
    });
    return target;
  };
  // What this host's encoder makes is known once it has made one.
  const made = await again(odd);
  const own = await parameterSets(made);
  const unified: string[] = [];
  for (const [index, path] of paths.entries()) {
    if (index === odd) unified.push(made);
    else unified.push(sets[index] === own ? path : await again(index));
  }
  return unified;
}

/** The decoder configuration of an MP4 segment, in hexadecimal. */
async function parameterSets(path: string): Promise<string> {
  const bytes = await readFile(path);
  // The index stands at the end of a segment; the box's length stands before its name. Source: ISO 14496-15.
  const name = bytes.lastIndexOf('avcC');
  if (name < 4) {
    const detail = 'The joined video was not published: a segment is not H.264.';
    throw transientFailure({ code: 'video_broken', detail });
  }
  return bytes.toString('hex', name, name - 4 + bytes.readUInt32BE(name - 4));
}
