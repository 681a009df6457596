import { createHash, randomUUID } from 'node:crypto';
import sharp from 'sharp';
import type { TestApi } from './support.js';

/** Bytes that differ at every place, so that a wrong range shows. */
export const videoBytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7 + 3) % 251));

export interface Gallery {
  jobId: string;
  videoId: string;
  artifacts: Record<
    'video' | 'thumbnail' | 'vtt' | 'srt' | 'ass' | 'script' | 'content' | 'captions',
    string
  >;
}

/** A finished video with all its files, as the workflow leaves it. */
export async function addVideo(
  api: TestApi,
  userId: string,
  title = 'How tides work',
  options: { thumbnail?: boolean; language?: string } = {},
): Promise<Gallery> {
  const store = async (bytes: Buffer, extension: string, contentType: string, keep = true) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const id = `${sha256}.${extension}`;
    if (keep) await api.storage.putBytes(`artifacts/${id}`, bytes, contentType);
    await api.db
      .insertInto('artifacts')
      .values({ id, sha256, bytes: bytes.length, content_type: contentType })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return id;
  };
  const json = (value: unknown) => store(Buffer.from(JSON.stringify(value)), 'json', 'application/json');
  const frame = await sharp({ create: { width: 1280, height: 720, channels: 3, background: '#2040a0' } })
    .webp()
    .toBuffer();
  const unique = randomUUID();
  const { language = 'en' } = options;
  const artifacts = {
    video: await store(videoBytes, 'mp4', 'video/mp4'),
    thumbnail:
      options.thumbnail === false
        ? await store(Buffer.from(unique), 'webp', 'image/webp', false)
        : await store(frame, 'webp', 'image/webp'),
    vtt: await store(
      Buffer.from('WEBVTT\n\n00:00.000 --> 00:01.000\nThe moon pulls.\n'),
      'vtt',
      'text/vtt; charset=utf-8',
    ),
    srt: await store(Buffer.from('1\n00:00:00,000 --> 00:00:01,000\nThe moon pulls.\n'), 'srt', 'text/plain'),
    ass: await store(Buffer.from('[Script Info]\n'), 'ass', 'text/plain'),
    content: await json({ unique, language, sections: [] }),
    script: await json({ unique, language, scenes: [{ number: 1 }, { number: 2 }] }),
    captions: await json({ unique, kind: 'captions' }),
  };
  const jobId = randomUUID();
  await api.db
    .insertInto('jobs')
    .values({
      id: jobId,
      user_id: userId,
      type: 'explainer',
      status: 'completed',
      parameters: JSON.stringify({ prompt: title }),
      workflow_input: JSON.stringify({ jobId, userId, videoId: null, options: { theme: 'paper' } }),
      edits: '[]',
      steps: '[]',
      result: JSON.stringify({ durationSeconds: 3 }),
      submitted_at: new Date(),
      completed_at: new Date(),
    })
    .execute();
  await api.db
    .insertInto('job_artifacts')
    .values(
      Object.entries(artifacts).map(([kind, artifact_id], position) => ({
        job_id: jobId,
        kind,
        name: kind === 'video' ? 'video.mp4' : `${kind}.json`,
        artifact_id,
        position,
      })),
    )
    .execute();
  const { id: videoId } = await api.db
    .insertInto('videos')
    .values({
      user_id: userId,
      job_id: jobId,
      title,
      description: '',
      duration_seconds: 3,
      width: 1920,
      height: 1080,
      bytes: videoBytes.length,
      video_artifact: artifacts.video,
      thumbnail_artifact: artifacts.thumbnail,
      vtt_artifact: artifacts.vtt,
      srt_artifact: artifacts.srt,
      ass_artifact: artifacts.ass,
      language,
      scenes: JSON.stringify(
        [1, 2].map((number) => ({
          number,
          heading: `Scene ${number}`,
          narration: 'The moon pulls.',
          bullets: [],
          imagePrompt: 'a moon',
          imageArtifact: null,
        })),
      ),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { jobId, videoId, artifacts };
}
