import { ffmpegArguments } from './command.js';

/** One raw frame of the compositor's on `pipe:0` → a PNG on `pipe:1`, colours as a player shows them. */
export function pictureArguments({ width, height }: { width: number; height: number }): string[] {
  return ffmpegArguments({
    inputs: [
      {
        source: 'pipe:0',
        options: ['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', `${width}x${height}`],
      },
    ],
    outputs: [
      {
        target: 'pipe:1',
        options: [
          ...[
            '-vf',
            'scale=in_color_matrix=bt709:in_range=limited:out_range=full:flags=accurate_rnd,format=rgb24',
          ],
          ...['-frames:v', '1', '-c:v', 'png', '-f', 'image2pipe'],
        ],
      },
    ],
  });
}
