import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { JobTexts } from '../../db/job-texts.js';
import type { ArtifactId, ContentDocument, ScriptDocument } from '../../workflows/contract/documents.js';
import type {
  WriteContentInput,
  WriteContentResult,
  WriteScriptInput,
  WriteScriptResult,
} from '../../workflows/contract/explainer.js';
import type { JobRef } from '../../workflows/contract/jobs.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { outlineScript } from './outline.js';
import { writerFailurePrefix, type ContentRequest, type Writer } from './writer.js';

export interface LlmDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'publishJson'>;
  cache: GenerationCache;
  /** Undefined when there is no such job. */
  readTexts(job: JobRef): Promise<JobTexts | undefined>;
  /** The language model's adapter, where one is set up. */
  model: Writer | undefined;
  /** Writes by rules alone; also what stands in for the model. */
  outline: Writer;
}

interface Written<T> {
  value: { document: ArtifactId; message: string | null } & T;
  cached: boolean;
}

/** Activities of the llm pool that write. Each text is written once, whoever asks for it. */
export function createLlmActivities(deps: LlmDeps) {
  const { artifacts, cache, model, outline } = deps;

  /** Publishes what a writer wrote, under a key that names the writer and everything that it saw. */
  async function written<D extends { message: string | null }, T>(
    activity: string,
    writer: Writer,
    inputs: unknown,
    write: () => Promise<D>,
    describe: (document: D) => T,
    signal: AbortSignal,
  ): Promise<Written<T>> {
    return cache.through(
      { activity, version: 1, inputs: { writer: writer.identity, inputs } },
      async () => {
        const made = await write();
        const document = await artifacts.publishJson(made);
        return { value: { document, message: made.message, ...describe(made) }, artifacts: [document] };
      },
      signal,
    );
  }

  /** The model's work, or the outline's with a word about why, when the model will not do it in time. */
  async function withFallback<T>(
    useModel: (writer: Writer) => Promise<T>,
    useOutline: (note: string | null) => Promise<T>,
  ): Promise<T> {
    if (model === undefined) return useOutline(null);
    try {
      return await useModel(model);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || !isGivenUp(error)) throw error;
      return useOutline(`${error.message} The outline writer stood in for it.`);
    }
  }

  return {
    /** The prompt or source of the job's row → what the video is about, in sections. */
    async writeContent(input: WriteContentInput): Promise<WriteContentResult> {
      return withHeartbeat('content', 0, async ({ signal }) => {
        const request = contentRequest(await deps.readTexts(input), input.options);
        const write = (writer: Writer, note: string | null) =>
          written(
            'write_content',
            writer,
            { request, note },
            async () => withNote(await writer.writeContent(request, signal), note),
            () => ({}),
            signal,
          );
        const { value, cached } = await withFallback(
          (writer) => write(writer, null),
          (note) => write(outline, note),
        );
        return { content: value.document, message: value.message, cached };
      });
    },

    /** Sections → scenes with narration, bullets and an idea for a picture. */
    async writeScript(input: WriteScriptInput): Promise<WriteScriptResult> {
      return withHeartbeat('scripts', 0, async ({ signal }) => {
        const content = await artifacts.readJson<ContentDocument>(input.content);
        const { language, sceneCount } = input.options;
        const request = { language, sceneCount };
        const write = (writer: Writer, note: string | null, make: () => Promise<ScriptDocument>) =>
          written(
            'write_script',
            writer,
            { content: input.content, request, note },
            async () => withNote(await make(), note),
            ({ scenes }) => ({ sceneCount: scenes.length }),
            signal,
          );
        const { value, cached } = await withFallback(
          (writer) => write(writer, null, () => writer.writeScript(content, request, signal)),
          (note) => write(outline, note, () => Promise.resolve(outlineScript(content, request))),
        );
        return { script: value.document, sceneCount: value.sceneCount, message: value.message, cached };
      });
    },
  };
}

export type LlmActivities = ReturnType<typeof createLlmActivities>;

function contentRequest(texts: JobTexts | undefined, options: ExplainerOptions): ContentRequest {
  if (texts === undefined) {
    throw invalidInput({ code: 'job_missing', detail: 'The job is no longer there.' });
  }
  const { prompt, source, title } = texts;
  if (isBlank(prompt) && isBlank(source)) {
    throw invalidInput({ code: 'source_empty', detail: 'Neither prompt nor source has any text.' });
  }
  return {
    prompt: isBlank(prompt) ? null : prompt,
    source: isBlank(source) ? null : source,
    title: isBlank(title) ? null : title,
    language: options.language,
    sceneCount: options.sceneCount,
  };
}

/**
 * A used-up quota and an outage that lasts cost the user the model's words, not the video. The attempts that are
 * kept back are for troubles of the outline's own, such as a storage that is away.
 */
const attemptsKeptBack = 2;

function isGivenUp({ nonRetryable, type }: ApplicationFailure): boolean {
  if (nonRetryable === true) return true;
  const { attempt, retryPolicy } = Context.current().info;
  const attemptsLeft = (retryPolicy?.maximumAttempts ?? Infinity) - attempt;
  return attemptsLeft <= attemptsKeptBack && type?.startsWith(writerFailurePrefix) === true;
}

function isBlank(text: string | null): boolean {
  return text === null || !/[^\s\p{Cc}\p{Cs}]/u.test(text);
}

function withNote<D extends { message: string | null }>(document: D, note: string | null): D {
  if (note === null) return document;
  return { ...document, message: document.message === null ? note : `${note} ${document.message}` };
}
