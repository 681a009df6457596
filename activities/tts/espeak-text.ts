import { type VisibleWord, visibleWords } from './visible-words.js';

/** What espeak is given for a text, and where each visible word begins in it, in code points. */
export interface EspeakText {
  spoken: string;
  words: (VisibleWord & { spokenStart: number; spokenLength: number })[];
}

/** Code points of one word that are read out: no word is longer, but a key or a blob may be. */
const maxWordLength = 120;
/** espeak drops what goes beyond its word buffer, so a long run is offered in pieces. */
const pieceLength = 40;

const emojiPattern =
  /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d|\ufe0e|\ufe0f|\u20e3/gu;
const keptSymbols = /[©®™]/u;

/** Prepares a text so that espeak reads all of it as text, and its positions can be led back to our words. */
export function espeakText(text: string, language: string): EspeakText {
  const visible = visibleWords(text, language);
  const pieces: string[] = [];
  const words: EspeakText['words'] = [];
  let position = 0;
  let lastEnd: number | undefined;
  for (const word of visible) {
    const gap = lastEnd !== undefined && word.charStart > lastEnd ? ' ' : '';
    const spoken = spokenForm(text.slice(word.charStart, word.charEnd));
    const length = [...spoken].length;
    words.push({ ...word, spokenStart: position + gap.length, spokenLength: length });
    pieces.push(gap, spoken);
    position += gap.length + length;
    lastEnd = word.charEnd;
  }
  return { spoken: pieces.join(''), words };
}

function spokenForm(word: string): string {
  const plain = word.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').normalize('NFC');
  const bare = withoutEmoji(plain);
  const cut = [...(/[\p{L}\p{N}]/u.test(bare) ? bare : plain)].slice(0, maxWordLength);
  return (
    inPieces(cut)
      // espeak reads tags, entities and [[phonemes]]; set apart they are characters like others.
      .replace(/<(?=[\p{L}/!?])/gu, '< ')
      .replace(/&(?=[\p{L}#])/gu, '& ')
      .replace(/\[/g, '(')
      .replace(/\]/g, ')')
  );
}

function withoutEmoji(word: string): string {
  return word.replace(emojiPattern, (symbol) => (keptSymbols.test(symbol) ? symbol : ' ')).trim();
}

function inPieces(characters: string[]): string {
  if (characters.length <= pieceLength) return characters.join('');
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += pieceLength) {
    pieces.push(characters.slice(at, at + pieceLength).join(''));
  }
  return pieces.join(' ');
}
