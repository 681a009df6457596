import {
  type EnhancedGenerateContentResponse,
  GoogleGenerativeAI,
  GoogleGenerativeAIFetchError,
  type ResponseSchema,
  SchemaType,
} from '@google/generative-ai';
import type { z } from 'zod';
import { invalidInput, transientFailure } from '../failures.js';
import { withTimeLimit } from '../time-limit.js';
import { retryDelaySeconds } from './gemini-errors.js';
import {
  contentPrompt,
  contentSchema,
  promptVersion,
  scriptPrompt,
  scriptSchema,
  type Shape,
} from './gemini-prompts.js';
import { toContentDocument, toScriptDocument } from './gemini-documents.js';
import type { Writer } from './writer.js';

export interface GeminiOptions {
  apiKey: string;
  /** Without path, e.g. `https://generativelanguage.googleapis.com`. */
  baseUrl: string;
  model: string;
  /** Longest wait for one answer. */
  timeoutMs?: number;
}

interface Question<T> {
  systemInstruction: string;
  text: string;
  shape: Shape;
  schema: z.ZodType<T>;
}

/** Writes with Gemini's structured output. The key travels in a header only and stands in no message of ours. */
export function createGeminiWriter({ apiKey, baseUrl, model, timeoutMs = 120_000 }: GeminiOptions): Writer {
  const client = new GoogleGenerativeAI(apiKey);

  async function ask<T>(question: Question<T>, signal: AbortSignal): Promise<T> {
    const first = await generate(question, [], signal);
    const fitting = fits(question.schema, first);
    if (fitting.ok) return fitting.value;
    const repaired = fits(question.schema, await generate(question, repair(first, fitting.problem), signal));
    if (repaired.ok) return repaired.value;
    throw refused('llm_bad_answer', 'Gemini answered twice in a form that does not fit.');
  }

  async function generate<T>(question: Question<T>, turns: Turn[], signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const generativeModel = client.getGenerativeModel({
      model,
      systemInstruction: question.systemInstruction,
      generationConfig: {
        responseMimeType: 'application/json',
        responseSchema: responseSchema(question.shape),
      },
    });
    // The SDK leaves its own timer running after an answer, so the bound is ours.
    const bound = withTimeLimit(signal, timeoutMs);
    try {
      const contents = [{ role: 'user', parts: [{ text: question.text }] }, ...turns];
      const { response } = await generativeModel.generateContent({ contents }, { baseUrl, signal: bound });
      return answerText(response);
    } catch (error) {
      signal.throwIfAborted();
      throw knownFailure(error);
    }
  }

  return {
    name: 'gemini',
    identity: `gemini-${promptVersion}:${model}`,
    async writeContent(request, signal) {
      return toContentDocument(
        await ask({ ...contentPrompt(request), schema: contentSchema }, signal),
        request,
      );
    },
    async writeScript(content, request, signal) {
      const question = { ...scriptPrompt(content, request), schema: scriptSchema };
      return toScriptDocument(await ask(question, signal), content, request);
    },
  };
}

function responseSchema(shape: Shape): ResponseSchema {
  if (shape === 'text') return { type: SchemaType.STRING };
  if ('list' in shape) return { type: SchemaType.ARRAY, items: responseSchema(shape.list) };
  const members = Object.entries(shape.members);
  return {
    type: SchemaType.OBJECT,
    properties: Object.fromEntries(members.map(([name, member]) => [name, responseSchema(member)])),
    required: members.map(([name]) => name),
  };
}

interface Turn {
  role: string;
  parts: { text: string }[];
}

/** The answer and what is wrong with it, so that the model can mend it. */
function repair(answer: string, problem: string): Turn[] {
  return [
    { role: 'model', parts: [{ text: answer === '' ? '(no text)' : answer.slice(0, 20_000) }] },
    {
      role: 'user',
      parts: [
        {
          text: `That answer does not fit the schema: ${problem}. Answer again with JSON that fits, nothing else.`,
        },
      ],
    },
  ];
}

function fits<T>(
  schema: z.ZodType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'it is not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
  return { ok: false, problem: problems.join('; ') };
}

/**
 * The text of the first candidate without the model's thoughts.
 * @throws ApplicationFailure for a blocked prompt and for an answer that stopped before its end.
 */
function answerText(response: EnhancedGenerateContentResponse): string {
  const candidate = response.candidates?.[0];
  if (candidate === undefined) {
    const reason = word(response.promptFeedback?.blockReason);
    if (reason !== undefined) throw refused('llm_prompt_blocked', `Gemini blocked the text (${reason}).`);
    throw transientFailure({ code: 'llm_empty_answer', detail: 'Gemini answered without a candidate.' });
  }
  const finish = word(candidate.finishReason);
  if (finish === 'MAX_TOKENS')
    throw refused('llm_answer_cut', 'Gemini ran out of room before its answer was complete.');
  if (finish !== undefined && finish !== 'STOP' && finish !== 'FINISH_REASON_UNSPECIFIED') {
    throw refused('llm_answer_blocked', `Gemini stopped its answer (${finish}).`);
  }
  // A proxy may answer anything, whatever the SDK's types promise.
  const content: unknown = candidate.content;
  const isContent = typeof content === 'object' && content !== null && 'parts' in content;
  const parts: unknown[] = isContent && Array.isArray(content.parts) ? content.parts : [];
  const texts = parts.flatMap((part) => {
    if (typeof part !== 'object' || part === null || !('text' in part)) return [];
    const isThought = 'thought' in part && part.thought === true;
    return isThought || typeof part.text !== 'string' ? [] : [part.text];
  });
  return texts.join('');
}

const word = (value: unknown) =>
  typeof value === 'string' && /^[A-Z_]{1,40}$/.test(value) ? value : undefined;

/** A failure that no retry mends; the caller may still turn to another writer. */
function refused(code: string, detail: string) {
  return invalidInput({ code, detail });
}

/** The SDK's messages hold addresses and whatever the server said, so only the status is taken from them. */
function knownFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === 'ApplicationFailure') return error;
  const status = error instanceof GoogleGenerativeAIFetchError ? error.status : undefined;
  if (status === undefined) {
    return transientFailure({
      code: 'llm_unavailable',
      detail: 'Gemini could not be reached, or did not answer in time.',
    });
  }
  const said = `Gemini answered ${status.toString()}`;
  if (status === 429) {
    const retryAfterSeconds =
      error instanceof GoogleGenerativeAIFetchError ? retryDelaySeconds(error.errorDetails) : undefined;
    return transientFailure({
      code: 'llm_rate_limited',
      detail: `${said}: too many requests for this key.`,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
  if (status === 408 || status >= 500) {
    return transientFailure({ code: 'llm_unavailable', detail: `${said}: it is out of order for now.` });
  }
  if (status === 401 || status === 403 || /API[ _]KEY/i.test(error.message)) {
    return refused(
      'llm_key_refused',
      `${said}: check that GEMINI_API_KEY is valid and allowed to use the model.`,
    );
  }
  if (status === 404) return refused('llm_model_unknown', `${said}: check GEMINI_MODEL and GEMINI_BASE_URL.`);
  return refused('llm_request_refused', `${said}: it did not take the request.`);
}
