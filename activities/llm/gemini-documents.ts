import type { ContentDocument, ScriptDocument } from '../../workflows/contract/documents.js';
import type { ContentAnswer, ScriptAnswer } from './gemini-prompts.js';
import type { ContentRequest, ScriptRequest } from './writer.js';
import { wellFormed } from './well-formed.js';

/** A model's text as our documents hold it: without controls, surrogate halves and runs of spaces. */
const clean = (text: string) =>
  wellFormed(text)
    .replace(/[^\P{Cc}\n]/gu, ' ')
    .replace(/[ \t]+/g, ' ')
    .trim();

export function toContentDocument(
  answer: ContentAnswer,
  { title, language }: ContentRequest,
): ContentDocument {
  return {
    title: title ?? clean(answer.title),
    description: clean(answer.description),
    language,
    sections: answer.sections.map(({ heading, text }) => ({ heading: clean(heading), text: clean(text) })),
    message: null,
  };
}

/** Scenes beyond the wanted number are dropped, and it is said. */
export function toScriptDocument(
  { scenes }: ScriptAnswer,
  content: ContentDocument,
  { language, sceneCount }: ScriptRequest,
): ScriptDocument {
  const kept = sceneCount === null ? scenes : scenes.slice(0, sceneCount);
  const note =
    sceneCount === null || scenes.length === sceneCount
      ? null
      : `Gemini wrote ${scenes.length.toString()} scenes where ${sceneCount.toString()} were asked for.`;
  const message = [content.message, note].filter((part) => part !== null).join(' ');
  return {
    title: content.title,
    description: content.description,
    language,
    scenes: kept.map((scene, n) => ({
      number: n + 1,
      heading: clean(scene.heading),
      narration: clean(scene.narration),
      bullets: scene.bullets.map(clean),
      imagePrompt: clean(scene.imagePrompt),
      imageArtifact: null,
    })),
    message: message === '' ? null : message,
  };
}
