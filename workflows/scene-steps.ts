import { media, summarized, tts } from './activity-proxies.js';
import type { ArtifactId, NamedArtifact } from './contract/documents.js';
import type { AssembleResult, TimeCaptionsResult } from './contract/explainer.js';
import type { ExplainerOptions } from './contract/options.js';
import { counted, type JobRun } from './job-run.js';
import { both, inWindow } from './parallel.js';
import { notesOnScenes } from './scene-notes.js';

/** What every step that works on a script needs. */
export interface Production {
  run: JobRun;
  script: ArtifactId;
  sceneCount: number;
  options: ExplainerOptions;
}

/** One picture a scene, in the scenes' order. */
export function drawPictures({ run, script, sceneCount, options }: Production): Promise<ArtifactId[]> {
  return run.step('images', async () => {
    run.progress.expect('images', sceneCount);
    const drawn = await inWindow(numbers(sceneCount), (sceneNumber) => {
      const input = { ...run.ref, script, sceneNumber, sceneCount, options };
      const drawing = summarized(sceneOf(sceneNumber, sceneCount), media.drawPicture, input);
      return counted(run.progress, 'images', drawing);
    });
    run.progress.tell('images', notesOnScenes(drawn.map(({ note }) => note ?? null)));
    return drawn.map(({ picture }) => picture);
  });
}

/** One voice a scene, in the scenes' order. */
export function speakScenes({ run, script, sceneCount, options }: Production): Promise<ArtifactId[]> {
  return run.step('voices', () => {
    run.progress.expect('voices', sceneCount);
    return inWindow(numbers(sceneCount), async (sceneNumber) => {
      const input = { ...run.ref, script, sceneNumber, voice: options.voice, language: options.language };
      const speaking = summarized(sceneOf(sceneNumber, sceneCount), tts.speakScene, input);
      return (await counted(run.progress, 'voices', speaking)).voice;
    });
  });
}

/** Lays the scenes out in time and writes the caption files. */
export function timeCaptions(
  { run, script, options }: Production,
  voices: ArtifactId[],
): Promise<TimeCaptionsResult> {
  return run.step('captions', () => {
    const input = { ...run.ref, script, voices, options };
    const timing = summarized(scenesOf(voices), media.timeCaptions, input);
    return counted(run.progress, 'captions', timing);
  });
}

export interface AssemblyInput {
  run: JobRun;
  options: ExplainerOptions;
  pictures: ArtifactId[];
  voices: ArtifactId[];
  captions: ArtifactId;
}

/** Segments and sound at once, then both into one file. */
export async function assembleVideo(
  input: AssemblyInput,
): Promise<{ assembled: AssembleResult; composition: ArtifactId }> {
  const { run, options, pictures, voices, captions } = input;
  const { progress, ref } = run;

  progress.start('segments');
  const { composition, segmentFrames } = await run.within('segments', () =>
    summarized(scenesOf(voices), media.planComposition, { ...ref, pictures, voices, captions, options }),
  );

  const count = segmentFrames.length;
  const render = () =>
    run.within('segments', async () => {
      progress.expect('segments', count);
      const rendered = await inWindow(longestFirst(segmentFrames), async (index) => {
        const summary = `segment ${index + 1} of ${count}`;
        const rendering = summarized(summary, media.renderSegment, { ...ref, composition, index });
        return { index, units: (await counted(progress, 'segments', rendering)).units };
      });
      progress.complete('segments');
      return rendered.sort((a, b) => a.index - b.index).flatMap(({ units }) => units);
    });
  const mix = () =>
    run.within('assembly', async () => {
      progress.start('assembly');
      progress.expect('assembly', 2);
      progress.tell('assembly', 'mixing the sound');
      const summary = options.music === null ? 'voices' : 'voices and music';
      const mixing = summarized(summary, media.mixAudio, { ...ref, composition });
      const { audio } = await counted(progress, 'assembly', mixing);
      progress.tell('assembly', 'the sound is mixed and waits for the segments');
      return audio;
    });

  const [units, audio] = await both(render, mix);
  const assembled = await run.within('assembly', async () => {
    progress.tell('assembly', 'joining segments and sound');
    const input = { ...ref, composition, units, audio };
    const assembling = summarized(`${count} segments and sound`, media.assemble, input);
    const result = await counted(progress, 'assembly', assembling);
    progress.tell('assembly', 'segments and sound joined');
    progress.complete('assembly');
    return result;
  });
  return { assembled, composition };
}

/** Download names: `scene-007-voice.json`. */
export function sceneArtifacts(kind: string, artifacts: readonly ArtifactId[]): NamedArtifact[] {
  return artifacts.map((artifact, index) => ({
    kind,
    name: `scene-${String(index + 1).padStart(3, '0')}-${kind}${extension(artifact)}`,
    artifact,
  }));
}

/** The timed words and the three caption files. */
export function captionArtifacts(captions: Omit<TimeCaptionsResult, 'cached'>): NamedArtifact[] {
  return [
    { kind: 'captions', name: 'captions.json', artifact: captions.captions },
    { kind: 'vtt', name: 'captions.vtt', artifact: captions.vtt },
    { kind: 'srt', name: 'captions.srt', artifact: captions.srt },
    { kind: 'ass', name: 'captions.ass', artifact: captions.ass },
  ];
}

function extension(artifact: ArtifactId): string {
  return artifact.slice(artifact.lastIndexOf('.'));
}

/** Indexes of segments: a long one that begins last would keep everything waiting for it. */
function longestFirst(segmentFrames: readonly number[]): number[] {
  return [...segmentFrames.entries()].sort(([, a], [, b]) => b - a).map(([index]) => index);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const sceneOf = (number: number, count: number): string => `scene ${number} of ${count}`;

const scenesOf = (voices: readonly ArtifactId[]): string => `${voices.length} scenes`;
