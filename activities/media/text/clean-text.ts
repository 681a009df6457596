/**
 * Text of a user's as it is drawn: one line, well-formed Unicode, with what cannot be seen taken out. Control
 * characters and bidirectional overrides go (the layout sets directions itself), joiners and marks stay,
 * because scripts need them. Everything else is drawn as it stands; nothing here is ever markup.
 */
export function cleanText(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, '\uFFFD')
      .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
      // eslint-disable-next-line no-control-regex -- these are what is taken out
      .replace(/[\u0000-\u001F\u007F-\u009F\u00AD\u202A-\u202E\u2060\u2066-\u2069\uFEFF\uFFF9-\uFFFB]/g, '')
      .normalize('NFC')
      .replace(/ {2,}/g, ' ')
      .trim()
  );
}
