import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keyPhrases } from '../../activities/llm/key-phrases.js';
import { createOutlineWriter } from '../../activities/llm/outline.js';

const phrases = (text: string, limit = 4) => keyPhrases(text, 'en', limit);

describe('phrases for a slide', () => {
  it('of the sample article are whole statements', async () => {
    const source = readFileSync(new URL('../../cli/sample-article.md', import.meta.url), 'utf8');
    const request = { prompt: null, source, title: null, language: 'en', sceneCount: null };
    const writer = createOutlineWriter();
    const never = new AbortController().signal;
    const { scenes } = await writer.writeScript(await writer.writeContent(request, never), request, never);
    expect(scenes.map(({ bullets }) => bullets)).toEqual([
      ['Hundreds of small pieces of work', 'A good pipeline is not one that never fails'],
      ['Writing the script is one step', 'Only that step has to run again'],
      [
        'Keep the sound under that name',
        'The pipeline finds the fingerprint',
        'An edit to one scene then costs one scene',
      ],
      ['The third idea is a diary', 'An engine writes down every decision'],
      [
        'Not every failure deserves the same answer',
        'A busy server needs patience',
        'A wrong password needs honesty',
      ],
      ['People change their minds', 'A cancelled job must stop quickly'],
      ['Put these ideas together and the drama disappears', 'Boring, for a machine, is the highest praise'],
    ]);
  });

  it.each<[string, string, string[]]>([
    [
      'a readme',
      'All settings live in one YAML file. You can choose the port, the database address and how often orders are fetched. Secrets are read from environment variables and are never written to the log.',
      [
        'All settings live in one YAML file',
        'You can choose the port',
        'Secrets are read from environment variables',
      ],
    ],
    [
      'a list of a recipe',
      '1 kg ripe tomatoes.\n\n3 cloves of garlic.\n\nSalt, pepper and a pinch of sugar.',
      ['1 kg ripe tomatoes', '3 cloves of garlic', 'Salt, pepper and a pinch of sugar'],
    ],
    [
      'the news',
      'Critics point to the cost. The project is now estimated at 410 million euros, almost twice as much as in the first plans of 2016. The federal government will pay sixty percent, but the city must borrow the rest. Opposition leader Tom Brandt called the decision "reckless" and announced that his party would ask for a referendum.',
      [
        'Critics point to the cost',
        'The project is now estimated at 410 million euros',
        'The federal government will pay sixty percent',
      ],
    ],
    [
      'instructions',
      'Turn the bicycle upside down and rest it on its saddle and handlebars. Let out the remaining air. Press the tyre back onto the rim with your thumbs. Do not pump the tyre to full pressure before you have checked both sides.',
      ['Turn the bicycle upside down', 'Let out the remaining air', 'Press the tyre back onto the rim'],
    ],
    ['an announcement', 'The second idea is to cut the work into steps.', ['Cut the work into steps']],
    [
      'a condition',
      'So when a step fails, only that step has to run again.',
      ['Only that step has to run again'],
    ],
  ])('of %s', (_name, text, expected) => {
    expect(phrases(text)).toEqual(expected);
  });

  it.each([
    [
      'leans on what was said',
      'It keeps for three days. That is harder than it sounds. This is one that carries on.',
    ],
    ['is only a condition', 'When the queue is long and the disk is almost full of half-written files'],
    [
      'would lose its "not"',
      'Do not pump the tyre to its full pressure again before you have checked both of its sides',
    ],
    ['is a file or an address', 'Look at activities/media/themes. Call https://example.org/a now.'],
    ['asks', 'Who is touched by such a change?'],
    ['waits for more', 'The council has promised that'],
  ])('are none where a stretch %s', (_name, text) => {
    expect(phrases(text)).toEqual([]);
  });

  it('do not repeat the heading', () => {
    expect(keyPhrases('Cut the work into steps.', 'en', 3, ['Work cut into steps'])).toEqual([]);
  });
});
