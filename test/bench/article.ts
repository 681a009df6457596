/** An English article of `scenes` headings, about six seconds of speech each; `salt` makes its sentences new to every cache. */
export function article(scenes: number, salt: string): string {
  const parts = Array.from({ length: scenes }, (_, index) => {
    const topic = topics[index % topics.length] ?? 'work';
    return (
      `# ${topic} ${String(index + 1)}\n\n` +
      `Note ${salt} says that ${topic.toLowerCase()} is recorded before the next step begins, so nothing is done twice.\n`
    );
  });
  return parts.join('\n');
}

const topics = [
  'Requests',
  'Writing',
  'Speech',
  'Pictures',
  'Captions',
  'Motion',
  'Sound',
  'Encoding',
  'Joining',
];
