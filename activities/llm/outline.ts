import type { ContentDocument, Scene, ScriptDocument } from '../../workflows/contract/documents.js';
import { invalidInput } from '../failures.js';
import { keyPhrases } from './key-phrases.js';
import { outlineContent, shortened } from './outline-content.js';
import { type Draft, headingOf, planScenes } from './outline-scenes.js';
import type { ScriptRequest, Writer } from './writer.js';

const maxHeadingCharacters = 80;
const fourBulletsFromCharacters = 380;

/** Turns the user's own text into scenes, by rules alone: the same text gives the same scenes. */
export function createOutlineWriter(): Writer {
  return {
    name: 'outline',
    identity: 'outline-3',
    writeContent(request) {
      const content = outlineContent(request);
      if (content.sections.length === 0) {
        return Promise.reject(
          invalidInput({
            code: 'source_empty',
            detail: 'The text has nothing to tell: no words are left without code, pictures and HTML.',
          }),
        );
      }
      return Promise.resolve(content);
    },
    writeScript: (content, request) => Promise.resolve(outlineScript(content, request)),
  };
}

/** Scenes of a content document, whoever wrote it. */
export function outlineScript(
  content: ContentDocument,
  { language, sceneCount }: ScriptRequest,
): ScriptDocument {
  const { drafts, notes } = planScenes(content.sections, language, { sceneCount });
  const message = [content.message, ...notes].filter((note) => note !== null).join(' ');
  return {
    title: content.title,
    description: content.description,
    language,
    scenes: drafts.map((draft, n) => toScene(draft, n + 1, language)),
    message: message === '' ? null : message,
  };
}

function toScene(draft: Draft, number: number, language: string): Scene {
  const narration = draft.sentences
    .map(({ text, paragraph }, n) => (n === 0 ? text : `${paragraph ? '\n\n' : ' '}${text}`))
    .join('');
  const heading = shortened(headingOf(draft, language), maxHeadingCharacters);
  const count = narration.length >= fourBulletsFromCharacters ? 4 : 3;
  const bullets = keyPhrases(narration, language, count, [heading]);
  return {
    number,
    heading,
    narration,
    bullets,
    imagePrompt: [heading, ...bullets].join(', '),
    imageArtifact: null,
  };
}
