import type { ContentDocument } from '../../workflows/contract/documents.js';
import { splitSentences } from '../sentences.js';
import { keyPhrases } from './key-phrases.js';
import { parseMarkdown } from './markdown.js';
import { pointsFor, topicOf } from './prompt-points.js';
import { wellFormed } from './well-formed.js';
import type { ContentRequest } from './writer.js';

type Section = ContentDocument['sections'][number];

const maxTitleCharacters = 120;
const maxHeadingCharacters = 90;
const maxDescriptionCharacters = 300;
/** From so many sentences on, a prompt is itself the text to tell. */
const tellingSentences = 4;

/** Sections of the user's own text: nothing is added to it but what a bare prompt needs to become an outline. */
export function outlineContent(request: ContentRequest): ContentDocument {
  const prompt = request.prompt ?? '';
  if (request.source !== null) return contentOfSource(request, request.source, []);
  if (splitSentences(prompt, request.language).length >= tellingSentences) {
    return contentOfSource(request, prompt, [
      'The prompt was told as it stands, because no language model is set up; set GEMINI_API_KEY to have a script written from it.',
    ]);
  }
  return contentOfPrompt(request, prompt);
}

function contentOfSource(request: ContentRequest, source: string, notes: string[]): ContentDocument {
  const { sections: parsed, leftOut } = parseMarkdown(source);
  const first = parsed.find(({ depth }) => depth > 0);
  const ownTitle = first?.depth === 1 || parsed[0]?.depth === 0 ? first?.heading : undefined;
  const sections = parsed.flatMap((section, n): Section[] => {
    // A heading that only opens its first subsection, or the title alone, is no scene.
    const next = parsed[n + 1];
    if (section.text === '' && next !== undefined && next.depth > section.depth) return [];
    const heading = section.heading === '' ? headingOf(section.text, request.language) : section.heading;
    return [{ heading: shortened(heading, maxHeadingCharacters), text: section.text }];
  });
  const plain = parsed.every(({ depth }) => depth === 0)
    ? plainSections(sections, request.language)
    : sections;
  const title = request.title ?? ownTitle ?? plain[0]?.heading ?? 'Untitled';
  const message = [
    ...notes,
    ...(leftOut.length > 0 ? [`Left out, as it cannot be read aloud: ${leftOut.join(', ')}.`] : []),
  ];
  return {
    title: shortened(title, maxTitleCharacters),
    description: shortened(plain.find(({ text }) => text !== '')?.text ?? '', maxDescriptionCharacters),
    language: request.language,
    sections: plain,
    message: message.length > 0 ? message.join(' ') : null,
  };
}

/** In a text without Markdown headings, a short line of its own that ends in no full stop is one. */
function plainSections(sections: Section[], language: string): Section[] {
  const paragraphs = sections.flatMap(({ text }) => text.split('\n\n'));
  const isHeading = (text: string, n: number) =>
    text.length <= maxHeadingCharacters &&
    /[\p{L}\p{N}]$/u.test(text) &&
    (paragraphs[n + 1]?.length ?? 0) > text.length;
  const result: Section[] = [];
  for (const [n, paragraph] of paragraphs.entries()) {
    const last = result.at(-1);
    if (isHeading(paragraph, n)) result.push({ heading: paragraph, text: '' });
    else if (last === undefined) result.push({ heading: headingOf(paragraph, language), text: paragraph });
    else last.text = last.text === '' ? paragraph : `${last.text}\n\n${paragraph}`;
  }
  return result;
}

function contentOfPrompt({ title, language, sceneCount }: ContentRequest, prompt: string): ContentDocument {
  const text = prompt.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').trim();
  const topic = topicOf(text, language);
  const help =
    'This is an outline made without a language model: give a `source` text to have your own words told, or set GEMINI_API_KEY to have a script written.';
  const sections = pointsFor(topic, text, language, sceneCount);
  return {
    title: shortened(title ?? topic, maxTitleCharacters),
    description: shortened(text, maxDescriptionCharacters),
    language,
    sections,
    message: help,
  };
}

function headingOf(text: string, language: string): string {
  return keyPhrases(text.slice(0, 600), language, 1)[0] ?? shortened(text, 40);
}

/** Cut at a word, with an ellipsis. */
export function shortened(text: string, maxCharacters: number): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  if (plain.length <= maxCharacters) return plain;
  const cut = wellFormed(plain.slice(0, maxCharacters - 1));
  const space = cut.lastIndexOf(' ');
  return `${(space > maxCharacters / 2 ? cut.slice(0, space) : cut).replace(/[\s\p{P}]+$/u, '')}…`;
}
