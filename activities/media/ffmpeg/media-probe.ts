import { z } from 'zod';

/** What a media file says of itself. Absent values are null. */
export interface MediaProbe {
  /** ffprobe's name, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  formatName: string;
  durationSeconds: number | null;
  bytes: number;
  streams: StreamProbe[];
}

export interface StreamProbe {
  kind: 'video' | 'audio' | 'subtitle' | 'data' | 'attachment';
  codec: string | null;
  profile: string | null;
  startSeconds: number | null;
  durationSeconds: number | null;
  /** Packets counted in the file; one a frame for video. */
  packets: number;
  width: number | null;
  height: number | null;
  pixelFormat: string | null;
  colorSpace: string | null;
  colorTransfer: string | null;
  colorPrimaries: string | null;
  colorRange: string | null;
  /** Width over height of a pixel, as `1:1`. */
  sampleAspect: string | null;
  /** Degrees by which a player turns the pictures, and ffmpeg does when it decodes them. */
  rotation: number;
  /** Frames a second: the base rate and the average; equal for a constant rate. */
  frameRate: number | null;
  averageFrameRate: number | null;
  sampleRate: number | null;
  channels: number | null;
}

const numeric = z.coerce.number().nullable().catch(null).default(null);
const word = z.string().nullable().default(null);
const kinds = ['video', 'audio', 'subtitle', 'data', 'attachment'] as const;

const stream = z.object({
  codec_type: z.enum(kinds).catch('data').default('data'),
  codec_name: word,
  profile: word,
  start_time: numeric,
  duration: numeric,
  nb_read_packets: z.coerce.number().catch(0).default(0),
  width: numeric,
  height: numeric,
  pix_fmt: word,
  color_space: word,
  color_transfer: word,
  color_primaries: word,
  color_range: word,
  sample_aspect_ratio: word,
  side_data_list: z
    .array(z.object({ rotation: numeric }))
    .catch([])
    .default([]),
  r_frame_rate: word,
  avg_frame_rate: word,
  sample_rate: numeric,
  channels: numeric,
});

const answer = z.object({
  format: z.object({ format_name: z.string(), duration: numeric, size: z.coerce.number().catch(0) }),
  streams: z.array(stream),
});

/** Reads the JSON of `ffprobe -show_streams -show_format -count_packets`. @throws ZodError */
export function parseProbe(json: string): MediaProbe {
  const { format, streams } = answer.parse(JSON.parse(json));
  return {
    formatName: format.format_name,
    durationSeconds: format.duration,
    bytes: format.size,
    streams: streams.map((s) => ({
      kind: s.codec_type,
      codec: s.codec_name,
      profile: s.profile,
      startSeconds: s.start_time,
      durationSeconds: s.duration,
      packets: s.nb_read_packets,
      width: s.width,
      height: s.height,
      pixelFormat: s.pix_fmt,
      colorSpace: s.color_space,
      colorTransfer: s.color_transfer,
      colorPrimaries: s.color_primaries,
      colorRange: s.color_range,
      sampleAspect: s.sample_aspect_ratio,
      rotation: s.side_data_list.find(({ rotation }) => rotation !== null)?.rotation ?? 0,
      frameRate: ratio(s.r_frame_rate),
      averageFrameRate: ratio(s.avg_frame_rate),
      sampleRate: s.sample_rate,
      channels: s.channels,
    })),
  };
}

export interface ProbedPackets extends MediaProbe {
  /** Presentation times in seconds, in the order of the file: one list a stream; NaN where a packet has none. */
  packetTimes: number[][];
}

const packets = z.object({
  packets: z.array(z.object({ stream_index: z.number(), pts_time: z.coerce.number().catch(NaN) })),
});

/** Reads what {@link parseProbe} reads, and `-show_entries packet=stream_index,pts_time`. @throws ZodError */
export function parsePackets(json: string): ProbedPackets {
  const probed = parseProbe(json);
  const packetTimes = probed.streams.map((): number[] => []);
  for (const packet of packets.parse(JSON.parse(json)).packets) {
    packetTimes[packet.stream_index]?.push(packet.pts_time);
  }
  return { ...probed, packetTimes };
}

/** `30/1` → 30; `0/0` → null. */
function ratio(text: string | null): number | null {
  const [over = NaN, under = 1] = (text ?? '').split('/').map(Number);
  const value = over / under;
  return Number.isFinite(value) && value > 0 ? value : null;
}
