/** Different notes that are told in full; a long video may have one for each scene. */
const mostNotes = 5;

/**
 * What activities noted on their scenes, in one line for the step: equal notes are told once, with their scenes.
 * @param notes one a scene, in the scenes' order; null where there is nothing to say.
 */
export function notesOnScenes(notes: readonly (string | null)[]): string | null {
  const scenes = new Map<string, number[]>();
  for (const [index, note] of notes.entries()) {
    if (note !== null) scenes.set(note, [...(scenes.get(note) ?? []), index + 1]);
  }
  if (scenes.size === 0) return null;
  const told = [...scenes].map(
    ([note, numbers]) => `Scene${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}: ${note}`,
  );
  const rest = told.length - mostNotes;
  return [...told.slice(0, mostNotes), ...(rest > 0 ? [`And ${rest} more.`] : [])].join(' ');
}
