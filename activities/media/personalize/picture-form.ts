import type { PictureForm } from '../../../workflows/contract/personalized.js';
import type { StreamProbe } from '../ffmpeg/media-probe.js';

/** What pictures that take the place of a stream's must say of themselves. */
export function pictureFormOf(stream: StreamProbe | undefined): PictureForm {
  return {
    range: stream?.colorRange ?? null,
    space: stream?.colorSpace ?? null,
    transfer: stream?.colorTransfer ?? null,
    primaries: stream?.colorPrimaries ?? null,
    sampleAspect: stream?.sampleAspect ?? null,
  };
}

/** ffmpeg's options that say so of raw pictures, and of what is encoded of them. */
export function colourOptions({ range, space, transfer, primaries }: PictureForm): string[] {
  const given = (name: string, value: string | null) => (value === null ? [] : [name, value]);
  return [
    ...given('-color_range', range),
    ...given('-colorspace', space),
    ...given('-color_trc', transfer),
    ...given('-color_primaries', primaries),
  ];
}

/** The filter that gives pictures their pixels' shape; none where it is not known. */
export function aspectFilter({ sampleAspect }: PictureForm): string[] {
  // H.264 has 16 bits for each number; without a limit of its own the filter rounds to two digits.
  return sampleAspect === null ? [] : [`setsar=${sampleAspect.replace(':', '/')}:max=65535`];
}

/** Size of a stream's pictures as they are decoded: a recording of a phone on its side is turned then. */
export function decodedSize({
  width,
  height,
  rotation,
}: Pick<StreamProbe, 'width' | 'height' | 'rotation'>): {
  width: number;
  height: number;
} {
  const [across, down] = [width ?? 0, height ?? 0];
  return rotation % 180 === 0 ? { width: across, height: down } : { width: down, height: across };
}
