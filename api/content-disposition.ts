/**
 * `Content-Disposition` after RFC 6266: an ASCII name for all, and the true one in RFC 8187's encoding.
 * Whatever could be a path, a header or a direction trick is taken out of the name.
 */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string): string {
  const name = safeFileName(fileName);
  const ascii = name
    .normalize('NFKD')
    .replaceAll(/[^\x20-\x7e]/g, '')
    .replaceAll(/["\\%]/g, '');
  const stem = ascii.replace(/\.[A-Za-z0-9]*$/, '').trim();
  const plain = stem === '' ? `download${extensionOf(name)}` : ascii.trim();
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** At most 100 characters before the extension; never empty, hidden or a path. */
function safeFileName(fileName: string): string {
  const cleaned = fileName
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replaceAll(/[/\\:*?"<>|]/g, '-')
    .trim();
  const extension = extensionOf(cleaned);
  const stem = cleaned.slice(0, cleaned.length - extension.length).replace(/^[.\s-]+/, '');
  const short = [...stem].slice(0, 100).join('').trim();
  return `${short === '' ? 'download' : short}${extension}`;
}

function extensionOf(name: string): string {
  return /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
}
