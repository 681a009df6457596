/** The voices that can be asked for. */

export const voiceProviders = ['espeak'] as const;

export type VoiceProviderName = (typeof voiceProviders)[number];

/** Languages that the espeak voice speaks, by the synthesizer's own names. */
export const espeakLanguages: readonly string[] =
  `af am an ar as az ba be bg bn bpy bs ca cmn cs cy da de el en-029 en-gb en-gb-scotland
  en-gb-x-gbclan en-gb-x-gbcwmd en-gb-x-rp en-us en-us-nyc eo es es-419 et eu fa fi fo fr-be fr-ch fr ga gd gn grc gu hak
  haw he hi hr ht hu hy hyw ia id io is it ja jbo ka kaa kk kl kn ko kok ku ky la lb lfn lt ltg lv mi mk ml mr ms mt my nb
  nci ne nl nog om or pa pap pl pt pt-br quc qu ro ru sd shn si sk sl smj sq sr sv sw ta te th ti tk tn tr tt ug uk ur uz vi
  vi-vn-x-central vi-vn-x-south yue`.split(/\s+/);

/** Timbres that espeak lays over any of its languages. */
export const espeakVariants = ['max', 'm3', 'm7', 'f2', 'f4', 'Andrea', 'Annie'] as const;

/** Every voice id that espeak takes: `hi`, or with a timbre `en-us+max`. */
export const espeakVoices: readonly string[] = espeakLanguages.flatMap((language) => [
  language,
  ...espeakVariants.map((variant) => `${language}+${variant}`),
]);

const espeakDefaults: Record<string, string> = {
  en: 'en-us',
  zh: 'cmn',
  'zh-hk': 'yue',
  'zh-mo': 'yue',
  no: 'nb',
  nn: 'nb',
  iw: 'he',
  in: 'id',
  'en-au': 'en-gb',
  'en-nz': 'en-gb',
  'en-ie': 'en-gb',
  'en-in': 'en-gb',
  'es-mx': 'es-419',
  'pt-pt': 'pt',
};

/** The espeak voice for a BCP 47 language, or undefined when espeak does not speak it. */
export function espeakVoiceFor(language: string): string | undefined {
  const parts = language.toLowerCase().split('-');
  for (let length = parts.length; length > 0; length -= 1) {
    const tag = parts.slice(0, length).join('-');
    const name = espeakDefaults[tag] ?? (espeakLanguages.includes(tag) ? tag : undefined);
    if (name !== undefined) return `${name}+max`;
  }
  return undefined;
}
