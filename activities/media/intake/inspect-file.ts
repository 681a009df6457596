import type { AssetKind, AssetMedia } from '../../../workflows/contract/assets.js';
import { probeHeader, probePackets, type Header, type HeaderStream } from './header-probe.js';
import { RefusedFileError } from './refused-file.js';
import { renderPicture, type Rendition } from './rendition.js';
import { sniffFile, type FileFormat } from './sniff.js';
import { isWhole } from './whole-file.js';

export interface InspectedFile {
  /** Names the content type in artifact ids. */
  extension: string;
  contentType: string;
  media: AssetMedia;
  rendition: Rendition | null;
}

export interface InspectOptions {
  ffprobePath: string;
  maxSeconds: number;
}

const nothing: AssetMedia = {
  durationSeconds: null,
  width: null,
  height: null,
  frameRate: null,
  videoCodec: null,
  audioCodec: null,
  sampleRate: null,
  channels: null,
};

/** What each kind may be, in words for its user. */
const taken: Record<AssetKind, { family: FileFormat['family']; words: string }> = {
  image: { family: 'picture', words: 'a JPEG, PNG or WebP picture' },
  audio: { family: 'media', words: 'sound as MP3, WAV, FLAC, Ogg, AAC, AIFF, MP4, WebM or Matroska' },
  music: { family: 'media', words: 'sound as MP3, WAV, FLAC, Ogg, AAC, AIFF, MP4, WebM or Matroska' },
  voice_sample: { family: 'media', words: 'sound as MP3, WAV, FLAC, Ogg, AAC, AIFF, MP4, WebM or Matroska' },
  video: { family: 'media', words: 'a video as MP4, MOV, WebM or Matroska' },
  recipients: { family: 'sheet', words: 'a CSV or XLSX file' },
};

/**
 * Looks into a file that a user supplied, before anything else touches it: by its content alone, under the rules for
 * hostile input. The API calls it while the user waits, so it takes seconds at most.
 *
 * @throws RefusedFileError; ApplicationFailure `ffmpeg_missing` and its like when the host cannot look.
 */
export async function inspectFile(
  path: string,
  kind: AssetKind,
  options: InspectOptions,
): Promise<InspectedFile> {
  const format = await sniffFile(path);
  if (format?.family !== taken[kind].family) throw refusedAs(kind);
  const { extension, contentType } = format;
  switch (format.family) {
    case 'sheet':
      return { extension, contentType, media: nothing, rendition: null };
    case 'picture': {
      const rendition = await renderPicture(path);
      const { width, height } = rendition;
      return { extension, contentType, media: { ...nothing, width, height }, rendition };
    }
    case 'media': {
      if (!(await isWhole(path, format.container))) {
        throw new RefusedFileError('damaged_media', 'The file is cut off, or its index is missing.');
      }
      const header = await probeHeader(options.ffprobePath, path, format.demuxer);
      const durationSeconds =
        header.durationSeconds ?? (await probePackets(options.ffprobePath, path, format.demuxer));
      const media = mediaOf(kind, { ...header, durationSeconds });
      if (durationSeconds > options.maxSeconds) {
        const detail = `The file lasts ${Math.round(durationSeconds)} s; at most ${options.maxSeconds} s are taken.`;
        throw new RefusedFileError('media_too_long', detail);
      }
      if (durationSeconds <= 0) throw new RefusedFileError('damaged_media', 'There is nothing in the file.');
      return { extension, contentType, media, rendition: null };
    }
  }
}

function mediaOf(kind: AssetKind, { durationSeconds, streams }: Header): AssetMedia {
  const video = streams.find(
    (stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1,
  );
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if ((kind === 'video' ? video : audio) === undefined) throw refusedAs(kind);
  return {
    durationSeconds,
    ...shownSize(video),
    frameRate: ratio(video?.avg_frame_rate ?? null),
    videoCodec: video?.codec_name ?? null,
    audioCodec: audio?.codec_name ?? null,
    sampleRate: audio?.sample_rate ?? null,
    channels: audio?.channels ?? null,
  };
}

/** A phone's video lies on its side and says so. */
function shownSize(video: HeaderStream | undefined): Pick<AssetMedia, 'width' | 'height'> {
  const { width = null, height = null } = video ?? {};
  const rotation = video?.side_data_list?.find((side) => side.rotation !== null)?.rotation ?? 0;
  return Math.abs(rotation) % 180 === 90 ? { width: height, height: width } : { width, height };
}

/** `30000/1001` → 29.97; `0/0` → null. */
function ratio(text: string | null): number | null {
  const [over = NaN, under = 1] = (text ?? '').split('/').map(Number);
  const value = over / under;
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1000) / 1000 : null;
}

function refusedAs(kind: AssetKind): RefusedFileError {
  return new RefusedFileError('unsupported_media', `The file is not ${taken[kind].words}.`);
}
