import { expect, it } from 'vitest';
import { notesOnScenes } from '../../workflows/scene-notes.js';

const short = 'Some text was cut short.';

it('says nothing where there is nothing to say', () => {
  expect(notesOnScenes([])).toBeNull();
  expect(notesOnScenes([null, null])).toBeNull();
});

it('tells each note once, with the scenes that it is about', () => {
  expect(notesOnScenes([null, short, 'No font here draws 日.', short])).toBe(
    `Scenes 2, 4: ${short} Scene 3: No font here draws 日.`,
  );
});

it('stays short, however many scenes have one of their own', () => {
  const notes = Array.from({ length: 100 }, (_, index) => `Note ${index}.`);
  expect(notesOnScenes(notes)).toMatch(/^Scene 1: Note 0\. .*Scene 5: Note 4\. And 95 more\.$/);
});
