import { fileURLToPath } from 'node:url';
import type { VoiceProvider } from '../../activities/tts/voice.js';
import { makeTalkingBase, type TalkingBase } from './talking-base.js';

const portrait = fileURLToPath(new URL('../media/astronaut.png', import.meta.url));
const [width, height] = [640, 360];

/** Part of the portrait in the video's proportions; its head sways and nears a little, as a speaker's does. */
const sway = [
  'crop=384:216:32:40,scale=iw*4:ih*4:flags=bicubic',
  `zoompan=z='1.05+0.03*sin(on/11)':x='iw/2-iw/zoom/2+6*sin(on/9)':y='ih/2-ih/zoom/2+4*cos(on/7)'` +
    `:d=1:s=${width}x${height}:fps=25`,
  'scale=out_color_matrix=bt709:out_range=tv',
].join(',');

/** A portrait that is filmed while a synthesized voice is heard; the lips do not move. */
export function filmPortrait(
  dir: string,
  { voice, text, name = 'portrait.mp4' }: { voice: VoiceProvider; text: string; name?: string },
): Promise<TalkingBase> {
  return makeTalkingBase(dir, {
    ...{ voice, text, name },
    picture: ['-loop', '1', '-framerate', '25', '-i', portrait],
    encoding: [
      ...['-vf', sway, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '14', '-pix_fmt', 'yuv420p'],
      ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ],
  });
}
