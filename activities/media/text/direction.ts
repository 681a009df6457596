import bidiModule from 'bidi-js';

export type TextDirection = 'ltr' | 'rtl';

/** The package's types tell of an ES module, but Node's `import` hands out the function itself. */
const bidi = (bidiModule as unknown as typeof bidiModule.default)();
const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Direction of a paragraph: that of its first letter, as in the Unicode Bidirectional Algorithm, rules P2 and P3. */
export function directionOf(text: string, otherwise: TextDirection = 'ltr'): TextDirection {
  const letter = /\p{L}/u.exec(text)?.[0];
  if (letter === undefined) return otherwise;
  return rightToLeft.test(letter) ? 'rtl' : 'ltr';
}

/** Direction of a layout: that of most of its letters. */
export function mainDirection(texts: readonly string[]): TextDirection {
  let balance = 0;
  for (const letter of texts.join(' ').match(/\p{L}/gu) ?? []) balance += rightToLeft.test(letter) ? 1 : -1;
  return balance > 0 ? 'rtl' : 'ltr';
}

/** Embedding level of every UTF-16 unit; odd levels run right to left. */
export function embeddingLevels(text: string, direction: TextDirection): Uint8Array {
  return bidi.getEmbeddingLevels(text, direction).levels;
}

/** Runs in the order in which they stand on the line, from the left. Rule L2 of the algorithm. */
export function visualOrder<T extends { level: number }>(runs: readonly T[]): T[] {
  const ordered = [...runs];
  const highest = Math.max(0, ...runs.map(({ level }) => level));
  for (let level = highest; level > 0; level -= 1) {
    let start = 0;
    while (start < ordered.length) {
      let end = start;
      while (end < ordered.length && (ordered[end]?.level ?? 0) >= level) end += 1;
      ordered.splice(start, end - start, ...ordered.slice(start, end).reverse());
      start = end + 1;
    }
  }
  return ordered;
}
