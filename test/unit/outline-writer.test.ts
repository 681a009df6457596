import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMarkdown } from '../../activities/llm/markdown.js';
import { createOutlineWriter, outlineScript } from '../../activities/llm/outline.js';
import { speechSeconds } from '../../activities/llm/speech-length.js';
import type { ContentRequest } from '../../activities/llm/writer.js';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import { maxScenes } from '../../workflows/contract/options.js';

const writer = createOutlineWriter();
const never = new AbortController().signal;

async function write(request: Partial<ContentRequest>): Promise<ScriptDocument> {
  const whole = { prompt: null, source: null, title: null, language: 'en', sceneCount: null, ...request };
  return writer.writeScript(await writer.writeContent(whole, never), whole, never);
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();

function expectHonest(script: ScriptDocument, source: string): void {
  const allowed = plain(source);
  for (const [n, scene] of script.scenes.entries()) {
    expect(scene.number).toBe(n + 1);
    expect(scene.heading).not.toBe('');
    expect(scene.narration.trim()).not.toBe('');
    expect(scene.bullets.length).toBeLessThanOrEqual(4);
    for (const bullet of scene.bullets) {
      expect(plain(scene.narration)).toContain(plain(bullet));
      expect(bullet.split(/\s+/).length).toBeLessThanOrEqual(9);
      expect(bullet.length).toBeLessThanOrEqual(52);
    }
    for (const paragraph of scene.narration.split('\n\n')) expect(allowed).toContain(plain(paragraph));
  }
}

const article = readFileSync(new URL('../../cli/sample-article.md', import.meta.url), 'utf8');

describe('an article', () => {
  it('becomes scenes under its own headings, in its own words', async () => {
    const script = await write({ source: article });
    expectHonest(script, article);
    expect(script.title).toBe('How a render pipeline survives the night');
    expect(script.message).toBeNull();
    expect(script.scenes.map(({ heading }) => heading)).toEqual([
      'How a render pipeline survives the night',
      ...[...article.matchAll(/^## (.*)$/gm)].map((match) => match[1]),
    ]);
    // Nothing is lost: what the scenes say is the article without its headings.
    const body = article.replace(/^#.*$/gm, '');
    expect(plain(script.scenes.map(({ narration }) => narration).join(' '))).toBe(plain(body));
    for (const { narration, bullets } of script.scenes) {
      expect(speechSeconds(narration)).toBeGreaterThan(10);
      expect(speechSeconds(narration)).toBeLessThan(36);
      expect(bullets.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('is the same every time', async () => {
    expect(await write({ source: article })).toEqual(await write({ source: article }));
  });

  it.each([1, 3, 7, 12])('fits into %i scenes when asked to', async (sceneCount) => {
    const script = await write({ source: article, sceneCount });
    expect(script.scenes).toHaveLength(sceneCount);
    expectHonest(script, article);
    if (sceneCount === 1) expect(script.message).toMatch(/too long for 1 scene.*first 75 seconds/);
  });

  it('with a long section gets several scenes for it, and tiny sections share one', async () => {
    const long = Array.from({ length: 24 }, (_, n) => `Point ${String(n)} is told in a sentence of its own.`);
    const source = `# T\n\n## Long\n\n${long.join(' ')}\n\n## A\n\nTiny.\n\n## B\n\nSmall too.\n\n## C\n\nLittle.`;
    const script = await write({ source });
    expectHonest(script, `${source} Long. A. B. C.`);
    const lengths = script.scenes.map(({ narration }) => speechSeconds(narration));
    expect(script.scenes.length).toBeGreaterThanOrEqual(4);
    for (const length of lengths) expect(length).toBeLessThan(40);
    expect(script.scenes.length).toBeLessThan(7);
    expect(script.scenes.at(-1)?.narration).toMatch(/Small too\.\s+C\.\s+Little\./);
    expect(script.scenes.map(({ narration }) => narration).join(' ')).toMatch(/A\.\s+Tiny\./);
  });
});

describe('Markdown', () => {
  const text = (source: string) => parseMarkdown(source).sections.map((section) => section.text);

  it('is read as one would say it', () => {
    expect(text('Some *emphasis*, `npm test`, a [link](https://x.y/z) &amp; <b>HTML</b>.')).toEqual([
      'Some emphasis, npm test, a link & HTML.',
    ]);
    expect(text('See https://www.example.org/a/b?c=d now. ![diagram](x.png)')).toEqual([
      'See example.org now.',
    ]);
    expect(text('- One\n- Two!\n  - Deep\n\n1. First')).toEqual(['One.\n\nTwo!\n\nDeep.\n\nFirst.']);
    expect(text('> Quoted\n> text.')).toEqual(['Quoted text.']);
    expect(text('| Step | Time |\n|---|---|\n| Draw | 2 s |\n| Mix | 1 s |')).toEqual([
      'Draw: Time 2 s.\n\nMix: Time 1 s.',
    ]);
    expect(text('a\\*b\\_c [^1]\n\n[^1]: note')).toEqual(['a*b_c\n\nnote']);
    expect(text('Line one\nline two  \nline three')).toEqual(['Line one line two line three']);
    expect(text('---\ntitle: X\n---\nBody.')).toEqual(['Body.']);
  });

  it('leaves out what cannot be read aloud, and says so', async () => {
    const source =
      '# T\n\nBefore.\n\n```js\nconst secret = 1;\n```\n\n<script>alert(1)</script>\n\n<!-- hidden -->\n\nAfter.';
    const script = await write({ source });
    const told = script.scenes.map(({ narration }) => narration).join(' ');
    expect(told).toMatch(/Before\..*After\./s);
    expect(told).not.toMatch(/secret|alert|hidden/);
    expect(script.message).toMatch(/1 code block/);
  });

  it('that is plain text has its short lines as headings, and indented prose is no code', async () => {
    const source =
      'The tides\n\n    Twice a day the sea comes in and goes out again. It has done so for as long as there was a moon above it, and it will go on for longer than anyone can count.\n\nThe moon\n\nThe moon pulls at the water, and the water follows it around the world, day after day, from one coast to the other and back again.';
    const script = await write({ source });
    expect(script.scenes.map(({ heading }) => heading)).toEqual(['The tides', 'The moon']);
    expect(script.scenes[0]?.narration).toMatch(/^Twice a day/);
  });

  it.each<[string, string]>([
    ['nested quotes', '>'.repeat(100_000)],
    ['nested lists', Array.from({ length: 3_000 }, (_, n) => `${' '.repeat(n)}- a`).join('\n')],
    ['brackets', '['.repeat(100_000)],
    ['emphasis', '*a '.repeat(60_000)],
    ['open tags', '<a '.repeat(60_000)],
    ['open comments', '<!--'.repeat(40_000)],
    ['a front matter without end', `---\n${'a: b\n'.repeat(40_000)}`],
  ])('%s does not hang the parser', async (_name, source) => {
    const startedAt = Date.now();
    parseMarkdown(source);
    await write({ source }).catch(() => undefined);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('limits', () => {
  it('500 headings are bounded, and it is said', async () => {
    const source = Array.from(
      { length: 500 },
      (_, n) => `## Heading ${String(n)}\n\nSome words about item number ${String(n)}, and a few more.`,
    ).join('\n\n');
    const script = await write({ source });
    expect(script.scenes.length).toBeLessThanOrEqual(maxScenes);
    const total = script.scenes.reduce((sum, { narration }) => sum + speechSeconds(narration), 0);
    expect(total).toBeLessThanOrEqual(20 * 60);
    expect(script.message).toMatch(
      /would make \d+ scenes and about \d+ minutes; the video tells the first \d+/,
    );
    const wanted = await write({ source, sceneCount: 8 });
    expect(wanted.scenes).toHaveLength(8);
    expect(wanted.message).toMatch(/too long for 8 scenes/);
  });

  it('200 KB are read in a moment', async () => {
    const source = 'This sentence has a handful of words in it. '.repeat(4_600);
    const startedAt = Date.now();
    const script = await write({ source });
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    expect(script.scenes.length).toBeGreaterThan(20);
    expect(script.message).toMatch(/the video tells the first/);
  });

  it('fewer sentences than scenes wanted are said', async () => {
    const script = await write({ source: 'One. Two.', sceneCount: 5 });
    expect(script.scenes).toHaveLength(2);
    expect(script.message).toBe('The text gives 2 scenes, not 5.');
  });
});

describe('any text', () => {
  it.each([
    ['overrides', "{\\an8} ',drawtext=textfile=/etc/passwd %{} $(touch x) --flag is said."],
    ['controls', 'a\u0000b \u0007 c\u001b[0m d.'],
    ['half a surrogate', 'One \ud83d two \ude00 three.'],
    ['a word without end', 'x'.repeat(10_000)],
    ['only emoji', '😀😀 🎉'],
    ['only headings', '# A\n\n## B\n\n### C'],
    ['right to left', '# عنوان\n\nهذا نص قصير. وهذا آخر.'],
  ])('%s gives scenes', async (_name, source) => {
    const script = await write({ source });
    expect(script.scenes.length).toBeGreaterThan(0);
    const all = JSON.stringify(script);
    expect(all).not.toMatch(/\\u0000|\\u001b|\\ud83d(?!\\ude)/i);
    for (const { heading, narration } of script.scenes) {
      expect(heading.length).toBeGreaterThan(0);
      expect(heading.length).toBeLessThanOrEqual(80);
      expect(narration.length).toBeGreaterThan(0);
    }
  });

  it('without a word to tell is refused', async () => {
    await expect(write({ source: '```\ncode\n```' })).rejects.toMatchObject({
      type: 'source_empty',
      nonRetryable: true,
    });
  });

  it.each([
    ['zh', '# 潮汐\n\n每天两次，海水涨起来又退下去。月亮拉着海水，海水跟着它走。', '潮汐'],
    ['hi', '# ज्वार\n\nदिन में दो बार समुद्र आता है और जाता है। चाँद पानी को खींचता है।', 'ज्वार'],
  ])('in %s has its sentences and phrases', async (language, source, heading) => {
    const script = await write({ source, language });
    expectHonest(script, source);
    expect(script.scenes[0]?.heading).toBe(heading);
    expect(script.scenes[0]?.bullets.length).toBeGreaterThan(0);
  });
});

describe('a bare prompt', () => {
  it('becomes an outline that says what it is', async () => {
    const script = await write({ prompt: 'Please make a short video about how tides work!' });
    expect(script.title).toBe('How tides work');
    expect(script.scenes.length).toBeGreaterThanOrEqual(5);
    expect(script.scenes[0]?.narration).toContain('how tides work');
    expect(script.message).toMatch(/outline made without a language model.*source.*GEMINI_API_KEY/s);
  });

  it.each([1, 2, 4, 6])('keeps to %i scenes', async (sceneCount) => {
    expect((await write({ prompt: 'Explain photosynthesis', sceneCount })).scenes).toHaveLength(sceneCount);
  });

  it('of several sentences is told as it stands', async () => {
    const prompt = 'Cats sleep a lot. They sleep by day. They hunt at dusk. A cat needs little else.';
    const script = await write({ prompt });
    expectHonest(script, prompt);
    expect(script.message).toMatch(/told as it stands/);
  });

  it('tells its language, whatever its content said', () => {
    const content = {
      ...{ title: 'Gezeiten', description: '', language: 'en', message: null },
      sections: [{ heading: 'Ebbe', text: 'Das Wasser geht. Das Wasser kommt.' }],
    };
    expect(outlineScript(content, { language: 'de', sceneCount: null }).language).toBe('de');
  });

  it('in another language keeps to its own words', async () => {
    const prompt = 'ज्वार भाटा कैसे काम करता है';
    const script = await write({ prompt, language: 'hi' });
    expectHonest(script, prompt);
  });
});
