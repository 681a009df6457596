import { userInfo } from 'node:os';
import { inheritedEnvironment } from '../../config.js';
import { runToEnd } from '../stack/run-to-end.js';
import { findOnPath } from '../stack/tools.js';
import { say, SetupError } from './say.js';

const byHand = 'install ffmpeg, or point FFMPEG_PATH and FFPROBE_PATH to it';
const installTimeoutMs = 15 * 60_000;

/** ffmpeg and ffprobe as configured or on PATH, else from the system's package manager, which is said first. */
export async function ensureFfmpeg(
  tools: { ffmpegPath: string; ffprobePath: string },
  searchPath: string,
): Promise<void> {
  const isThere = () =>
    [tools.ffmpegPath, tools.ffprobePath].every((name) => findOnPath(name, searchPath) !== undefined);
  if (!isThere()) {
    if (tools.ffmpegPath.includes('/') || tools.ffprobePath.includes('/')) {
      throw new SetupError(
        'FFMPEG_PATH or FFPROBE_PATH does not name a program: correct it, or leave it out',
      );
    }
    await install(searchPath);
    if (!isThere()) throw new SetupError(`ffmpeg was installed but is not on PATH: ${byHand}`);
  }
  await checkAbilities(tools.ffmpegPath);
}

/** The commands that install ffmpeg here, in order; undefined when no way is known or allowed. */
export function installCommands(
  has: (program: string) => boolean,
  isRoot: boolean,
): readonly (readonly string[])[] | undefined {
  if (has('apt-get')) {
    if (!isRoot && !has('sudo')) return undefined;
    const prefix = isRoot ? [] : ['sudo'];
    return [
      [...prefix, 'apt-get', 'update'],
      [...prefix, 'apt-get', 'install', '--yes', '--no-install-recommends', 'ffmpeg'],
    ];
  }
  if (has('brew')) return [['brew', 'install', 'ffmpeg']];
  return undefined;
}

async function install(searchPath: string): Promise<void> {
  const commands = installCommands(
    (program) => findOnPath(program, searchPath) !== undefined,
    userInfo().uid === 0,
  );
  if (commands === undefined) throw new SetupError(`ffmpeg is missing: ${byHand}`);
  say('ffmpeg is missing; installing it with the package manager (about a minute, once)');
  for (const [program = '', ...args] of commands) {
    say(`  ${[program, ...args].join(' ')}`);
    const env = inheritedEnvironment({ DEBIAN_FRONTEND: 'noninteractive' });
    await runToEnd(program, args, { env, timeoutMs: installTimeoutMs }).catch((error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      throw new SetupError(`${byHand}, because this did not work: ${said}`);
    });
  }
}

/** Some builds come without the encoder, or without the subtitle renderer. */
async function checkAbilities(ffmpegPath: string): Promise<void> {
  const encoders = await runToEnd(ffmpegPath, ['-hide_banner', '-encoders']);
  const filters = await runToEnd(ffmpegPath, ['-hide_banner', '-filters']);
  const missing = [
    ...['libx264', 'aac'].filter((name) => !encoders.includes(` ${name} `)),
    ...['ass', 'loudnorm', 'sidechaincompress'].filter((name) => !filters.includes(` ${name} `)),
  ];
  if (missing.length > 0) {
    throw new SetupError(`this ffmpeg lacks ${missing.join(', ')}: install a full build, or set FFMPEG_PATH`);
  }
}
