import type { ContentDocument } from '../../workflows/contract/documents.js';
import { wellFormed } from './well-formed.js';

type Section = ContentDocument['sections'][number];

const maxTopicCharacters = 110;
const instruction =
  /^(?:please\s+)?(?:(?:can|could) you\s+)?(?:explain|describe|introduce|present|summari[sz]e|teach(?: me| us)?|tell(?: me| us)?|show(?: me| us)?|make|create|generate|write|produce|give(?: me| us)?)\s+(?:(?:me|us)\s+)?(?:(?:a|an|the)\s+)?(?:(?:short|brief|quick|simple|one[- ]minute|\d+[- ]\w+)\s+)*(?:(?:explainer|video|presentation|introduction|overview|script|talk|lesson)s?\s*)*(?:(?:about|on|of|for|to|that explains?|explaining)\s+)?/i;

/** What a prompt is about: without the request around it, e.g. "how tides work". */
export function topicOf(prompt: string, language: string): string {
  const bare = isEnglish(language, prompt) ? prompt.replace(instruction, '') : prompt;
  const topic = wellFormed(
    (bare === '' ? prompt : bare).replace(/[\s.!?。！？।]+$/u, '').slice(0, maxTopicCharacters),
  );
  const [first = '', ...rest] = topic;
  return first.toLocaleUpperCase() + rest.join('');
}

/**
 * An introduction, up to four points and a close. They say what a script would have to tell, because
 * without a model nothing is known about the topic; outside English only the user's own words are used.
 */
export function pointsFor(
  topic: string,
  prompt: string,
  language: string,
  sceneCount: number | null,
): Section[] {
  if (!isEnglish(language, prompt)) return [{ heading: topic, text: prompt }];
  const name = lowerFirst(topic);
  const isQuestion = /^(?:how|why|what|when|where|who)\b/i.test(topic);
  const intro = {
    heading: topic,
    text: `This short video ${isQuestion ? 'asks' : 'is about'} ${name}. A few short questions lead to the whole picture. The last scene says what should stay in mind.`,
  };
  const points = [
    {
      heading: 'Where to start',
      text: 'First, name the subject in one plain sentence. A simple picture helps more than a definition. An everyday example makes the new thing familiar.',
    },
    {
      heading: 'Why it matters',
      text: 'Second, name the people whose lives this touches. Show what changes in their day. Ask what would be missing if nobody knew.',
    },
    {
      heading: 'How it works',
      text: 'Third, follow the whole process step by step. Begin with what comes first. Point out the part that most people get wrong.',
    },
    {
      heading: 'One example',
      text: 'Fourth, tell one real example from beginning to end. A true story stays longer than dry facts.',
    },
  ];
  const close = {
    heading: 'What to remember',
    text: `That is the frame for telling ${name}. Fill each part with your own facts. Keep every sentence short. End with the one thought that should stay.`,
  };
  const wanted = Math.max(0, Math.min(points.length, (sceneCount ?? 5) - 2));
  return sceneCount === 1 ? [intro] : [intro, ...points.slice(0, wanted), close];
}

function isEnglish(language: string, text: string): boolean {
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return /^en\b/i.test(language) && latin * 2 > letters;
}

/** "How tides work" inside a sentence; "NASA" stays as it is. */
function lowerFirst(topic: string): string {
  return /^\p{Lu}\p{Ll}/u.test(topic) &&
    /^(?:how|why|what|when|where|who|the|a|an|our|your|my)\b/i.test(topic)
    ? topic.charAt(0).toLowerCase() + topic.slice(1)
    : topic;
}
