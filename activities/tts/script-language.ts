/** Scripts that tell a language well enough to read it aloud. */
const languagesByScript: readonly { script: string; pattern: RegExp; language: string }[] = [
  { script: 'Deva', pattern: /\p{Script=Devanagari}/gu, language: 'hi' },
  { script: 'Arab', pattern: /\p{Script=Arabic}/gu, language: 'ar' },
  { script: 'Jpan', pattern: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu, language: 'ja' },
  { script: 'Hans', pattern: /\p{Script=Han}/gu, language: 'zh' },
  { script: 'Kore', pattern: /\p{Script=Hangul}/gu, language: 'ko' },
  { script: 'Cyrl', pattern: /\p{Script=Cyrillic}/gu, language: 'ru' },
  { script: 'Grek', pattern: /\p{Script=Greek}/gu, language: 'el' },
  { script: 'Hebr', pattern: /\p{Script=Hebrew}/gu, language: 'he' },
  { script: 'Thai', pattern: /\p{Script=Thai}/gu, language: 'th' },
  { script: 'Beng', pattern: /\p{Script=Bengali}/gu, language: 'bn' },
  { script: 'Taml', pattern: /\p{Script=Tamil}/gu, language: 'ta' },
  { script: 'Telu', pattern: /\p{Script=Telugu}/gu, language: 'te' },
  { script: 'Gujr', pattern: /\p{Script=Gujarati}/gu, language: 'gu' },
  { script: 'Guru', pattern: /\p{Script=Gurmukhi}/gu, language: 'pa' },
  { script: 'Mlym', pattern: /\p{Script=Malayalam}/gu, language: 'ml' },
  { script: 'Knda', pattern: /\p{Script=Kannada}/gu, language: 'kn' },
  { script: 'Geor', pattern: /\p{Script=Georgian}/gu, language: 'ka' },
  { script: 'Armn', pattern: /\p{Script=Armenian}/gu, language: 'hy' },
  { script: 'Latn', pattern: /\p{Script=Latin}/gu, language: 'en' },
];

/**
 * The language to read a text in: the one that was asked for, unless the text is written in a script that the
 * language does not use, as Hindi sent without naming its language.
 */
export function scriptLanguage(text: string, language: string): string {
  const counted = languagesByScript.map((entry) => ({
    ...entry,
    count: text.match(entry.pattern)?.length ?? 0,
  }));
  const most = counted.reduce((best, entry) => (entry.count > best.count ? entry : best));
  if (most.count === 0) return language;
  const own = scriptOf(language);
  if (own === undefined || most.script === 'Latn' || usesScript(own, most.script)) return language;
  return most.language;
}

function scriptOf(language: string): string | undefined {
  try {
    return new Intl.Locale(language).maximize().script;
  } catch {
    return undefined;
  }
}

/** Writing systems that mix scripts: Han is used in Chinese of both kinds, Japanese and Korean. */
function usesScript(own: string, script: string): boolean {
  if (script === 'Hans') return ['Hans', 'Hant', 'Jpan', 'Kore'].includes(own);
  return own === script;
}
