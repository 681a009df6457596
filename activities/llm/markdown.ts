import { lexer, type Token, type Tokens } from 'marked';

/** A heading and the text that stands under it, as one would read it aloud: paragraphs parted by empty lines. */
export interface MarkdownSection {
  /** Empty for text before the first heading. */
  heading: string;
  /** 1–6; 0 for text before the first heading. */
  depth: number;
  text: string;
}

export interface ParsedMarkdown {
  sections: MarkdownSection[];
  /** What was left out because it cannot be read aloud, e.g. `2 code blocks`. */
  leftOut: string[];
}

const maxIndent = 8;
const maxTableRows = 8;

/**
 * Reads Markdown, or plain text, into sections. Links give their text, code blocks and HTML are left out, list
 * items and table rows become sentences.
 */
export function parseMarkdown(source: string): ParsedMarkdown {
  const sections: MarkdownSection[] = [{ heading: '', depth: 0, text: '' }];
  const counts = { codeBlocks: 0, tableRows: 0 };
  const append = (text: string) => {
    const section = sections.at(-1);
    if (section === undefined || text === '') return;
    section.text = section.text === '' ? text : `${section.text}\n\n${text}`;
  };
  for (const token of topTokens(normalized(source))) {
    if (isToken(token, 'heading')) {
      const heading = inlineText(token.tokens).replace(/[\s#]+$/, '');
      if (heading !== '') sections.push({ heading, depth: token.depth, text: '' });
    } else append(blockText(token, counts));
  }
  const leftOut = [
    ...(counts.codeBlocks > 0 ? [plural(counts.codeBlocks, 'code block')] : []),
    ...(counts.tableRows > 0 ? [plural(counts.tableRows, 'table row')] : []),
  ];
  return { sections: sections.filter(({ depth, text }) => depth > 0 || text !== ''), leftOut };
}

const plural = (count: number, noun: string) =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** Line ends, front matter, characters that are no text, and nesting that only an attack has. */
function normalized(source: string): string {
  return withoutComments(source)
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]|\p{Cs}|\ufeff/gu, ' ')
    .replace(/^---\n[\s\S]{0,4000}?\n(?:---|\.\.\.)\n/, '')
    .replace(/^[ \t]{9,}/gm, ' '.repeat(maxIndent))
    .replace(/^(?:[ \t]*>){4,}/gm, '>>> ')
    .replace(/\[\^[^\]\s]{1,60}\]:?/g, '');
}

/** HTML comments go; one without an end is only its mark. In linear time, unlike a pattern. */
function withoutComments(source: string): string {
  const [first = '', ...rest] = source.split('<!--');
  return (
    first + rest.map((piece) => piece.slice(piece.includes('-->') ? piece.indexOf('-->') + 3 : 0)).join(' ')
  );
}

function topTokens(text: string): Token[] {
  try {
    return lexer(text);
  } catch {
    // Too deeply nested for the parser: as plain text it still has words.
    return text.split(/\n{2,}/).map((raw) => ({ type: 'text', raw, text: raw, escaped: false }));
  }
}

type Counts = { codeBlocks: number; tableRows: number };

function blockText(token: Token, counts: Counts): string {
  if (isToken(token, 'paragraph')) return inlineText(token.tokens);
  if (isToken(token, 'text')) return inlineText(token.tokens ?? [token]);
  if (isToken(token, 'blockquote')) return blocksText(token.tokens, counts);
  if (isToken(token, 'list')) {
    const paragraphs = token.items.flatMap((item) => blocksText(item.tokens, counts).split('\n\n'));
    return paragraphs.map(closed).filter(Boolean).join('\n\n');
  }
  if (isToken(token, 'table')) return tableText(token, counts);
  if (isToken(token, 'heading')) return closed(inlineText(token.tokens));
  if (isToken(token, 'code')) {
    // A plain text often indents its paragraphs; a program seldom reads like sentences.
    if (token.codeBlockStyle === 'indented' && looksLikeProse(token.text)) return collapsed(token.text);
    counts.codeBlocks += 1;
  }
  return '';
}

function blocksText(tokens: Token[], counts: Counts): string {
  return tokens
    .map((token) => blockText(token, counts))
    .filter((text) => text !== '')
    .join('\n\n');
}

function tableText({ header, rows }: Tokens.Table, counts: Counts): string {
  counts.tableRows += Math.max(0, rows.length - maxTableRows);
  const heads = header.map((cell) => inlineText(cell.tokens));
  const sentences = rows.slice(0, maxTableRows).map((row) => {
    const cells = row.map((cell, n) => ({ head: heads[n] ?? '', text: inlineText(cell.tokens) }));
    const [first, ...rest] = cells.filter(({ text }) => text !== '');
    if (first === undefined) return '';
    const facts = rest.map(({ head, text }) => (head === '' ? text : `${head} ${text}`));
    return closed(facts.length === 0 ? first.text : `${first.text}: ${facts.join(', ')}`);
  });
  return sentences.filter((sentence) => sentence !== '').join('\n\n');
}

function looksLikeProse(text: string): boolean {
  const words = text.split(/\s+/);
  return words.length > 6 && !/[{};=<>]|\(\)/.test(text) && /[.!?…。।]/u.test(text);
}

/** Inline marks to plain words: emphasis and links give their text, images and HTML nothing. */
function inlineText(tokens: Token[]): string {
  return collapsed(tokens.map(rawInline).join(''));
}

function rawInline(token: Token): string {
  if (isToken(token, 'link')) {
    const text = token.tokens.map(rawInline).join('');
    return /^(?:https?:\/\/|www\.|mailto:)/i.test(text) ? hostName(text) : text;
  }
  if (isToken(token, 'image') || isToken(token, 'html')) return '';
  if (isToken(token, 'br')) return ' ';
  if (isToken(token, 'codespan') || isToken(token, 'escape')) return token.text;
  if ('tokens' in token && Array.isArray(token.tokens)) return token.tokens.map(rawInline).join('');
  return 'text' in token && typeof token.text === 'string' ? decoded(token.text) : '';
}

/** Of an address only the name that one would say. */
function hostName(address: string): string {
  return /^(?:https?:\/\/)?(?:www\.)?([^/?#\s]+)/i.exec(address)?.[1] ?? '';
}

const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  copy: '©',
};

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return entities[name.toLowerCase()] ?? whole;
    const code = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
    const isText = code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isText ? String.fromCodePoint(code) : ' ';
  });
}

const collapsed = (text: string) => text.replace(/\s+/g, ' ').trim();

/** A list item or row as a sentence, so that the voice stops after it. */
function closed(text: string): string {
  return text === '' || /[.!?…:;,。！？：；।॥؟]["'”’»)\]]*$/u.test(text) ? text : `${text}.`;
}

interface TokenTypes {
  heading: Tokens.Heading;
  paragraph: Tokens.Paragraph;
  text: Tokens.Text;
  blockquote: Tokens.Blockquote;
  list: Tokens.List;
  table: Tokens.Table;
  code: Tokens.Code;
  link: Tokens.Link;
  image: Tokens.Image;
  html: Tokens.HTML;
  br: Tokens.Br;
  codespan: Tokens.Codespan;
  escape: Tokens.Escape;
}

function isToken<K extends keyof TokenTypes>(token: Token, type: K): token is TokenTypes[K] & Token {
  return token.type === type;
}
