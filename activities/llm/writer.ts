import type { ContentDocument, ScriptDocument } from '../../workflows/contract/documents.js';
import type { WriterName } from '../../workflows/contract/options.js';

/** What the user gave: a source text to tell, or a prompt that names what the video is about. */
export interface ContentRequest {
  prompt: string | null;
  /** Markdown or plain text. */
  source: string | null;
  title: string | null;
  /** BCP 47. */
  language: string;
  /** Scenes that the user wants; null leaves it to the writer. */
  sceneCount: number | null;
}

export type ScriptRequest = Pick<ContentRequest, 'language' | 'sceneCount'>;

/** How the types of a writer's own failures begin, which tells them from those of storage and database. */
export const writerFailurePrefix = 'llm_';

/** One adapter to something that writes. */
export interface Writer {
  name: WriterName;
  /** What a cache must tell apart: adapter version, prompts, schema, model. */
  identity: string;
  /** @throws ApplicationFailure `llm_…`, non-retryable when this writer will never write this. */
  writeContent(request: ContentRequest, signal: AbortSignal): Promise<ContentDocument>;
  writeScript(content: ContentDocument, request: ScriptRequest, signal: AbortSignal): Promise<ScriptDocument>;
}
